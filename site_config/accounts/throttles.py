"""How often what may be tried at the door, and who is counted; `messaging.throttles` counts."""

from ipaddress import IPv6Address, ip_address

from allauth.account.adapter import get_adapter
from django.conf import settings

from messaging.throttles import DAY, HOUR, MINUTE, Limit, Rate, count
from site_config.accounts import names

# --- Signing in: counted before the slow hash is made ---

LOGIN = Limit("log-in", (Rate(30, MINUTE),))  # of an address
FAILED_HERE = Limit("failed log-in of one here", (Rate(5, 5 * MINUTE),))  # of name and address
FAILED_ADDRESS = Limit("failed log-in here", (Rate(20, 5 * MINUTE),))  # of an address
# A name that is tried from many addresses is not locked: that would lock its owner out as well.
# But none of the addresses may try it again at once.
FAILED_NAME = Limit("failed log-in of one", (Rate(50, HOUR),), slows=(FAILED_HERE, Rate(1, MINUTE)))
FAILED = FAILED_HERE, FAILED_ADDRESS, FAILED_NAME

# Of a person who has shown the password. Six digits can be guessed in the end: hence the days.
SECOND_FACTOR = Limit("second factor", (Rate(5, 5 * MINUTE), Rate(100, DAY)))

# --- The other pages ---

ANONYMOUS = Limit("anonymous", (Rate(120, MINUTE),))  # of an address, whatever it asks for
SIGN_UP = Limit("sign-up", (Rate(settings.ACCOUNT_SIGNUPS_PER_HOUR, HOUR),))  # of an address
SIGN_UP_TRY = Limit("sign-up try", (Rate(20, MINUTE),))  # of an address
PASSWORD = Limit("password", (Rate(5, MINUTE),))  # of a person who is asked for it once more
RESET = Limit("password reset", (Rate(20, MINUTE),))  # of an address
RESET_OF = Limit("password reset of", (Rate(5, HOUR),))  # of an e-mail address, known or not
PASSKEY = Limit("passkey", (Rate(10, HOUR),))  # of a person who adds one
NAME = Limit("name", (Rate(10, HOUR),))  # of a person who changes theirs
EMAIL = Limit("e-mail", (Rate(10, HOUR),))  # of a person who adds or changes addresses
CONFIRMATION = Limit("confirmation", (Rate(1, 3 * MINUTE),))  # of an e-mail address


def count_login(request, login):
    """Count a log-in that may fail, of who is called `login`: no name is looked up for it."""
    name, where = names.key(login), address(request)
    return count(
        {
            LOGIN: where,
            FAILED_HERE: f"{name} {where}",
            FAILED_ADDRESS: where,
            FAILED_NAME: name,
        }
    )


def person(request):
    return request.user.pk


def address(request):
    """Return where a request comes from: of IPv6 the first half, for anyone can have that whole."""
    found = ip_address(get_adapter(request).get_client_ip(request))
    if found.version == 6:
        found = found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64)
    return str(found)


def email(request):
    return request.POST.get("email", "").strip().casefold()
