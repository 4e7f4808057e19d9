"""The one settings file: everything comes from the environment, with defaults that are safe.

*Public* means: DEBUG is off and ALLOWED_HOSTS names a host that is not this machine. A public site
refuses to start half-configured; any other start needs no variable at all.
"""

import os
import secrets
from importlib.util import find_spec
from pathlib import Path

import django
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))  # tests name an empty one
env.ENVIRON = {name: value for name, value in os.environ.items() if value}  # NAME= says nothing

# --- Where the site stands -----------------------------------------------------------------------

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds everybody's letters

IS_PUBLIC = not DEBUG and any(host not in LOOPBACK for host in ALLOWED_HOSTS)


def refuse(sentence):
    raise ImproperlyConfigured(f"{sentence} See the table of settings in the README.")


if IS_PUBLIC:
    if "*" in ALLOWED_HOSTS:
        refuse("ALLOWED_HOSTS=* lets any host name in: name the ones that this site answers to.")
    if not CSRF_TRUSTED_ORIGINS:
        refuse("A public site needs CSRF_TRUSTED_ORIGINS, for example https://mail.example.org.")
    if not env("EMAIL_URL", default=""):
        refuse("A public site needs EMAIL_URL: without it nobody can reset a password.")


def kept_secret_key():
    """Return the key in DATA_DIR, made on the first start and readable by its owner alone."""
    path = DATA_DIR / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = env("SECRET_KEY", default="") or kept_secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# --- What it is made of --------------------------------------------------------------------------

INSTALLED_APPS = [
    "messaging",
    "site_config.backups",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",  # without its middleware, which would write on every request
    "site_config.accounts",  # after allauth, whose pages of the admin it takes away
    "csp",
    "django_htmx",
    "site_config.admin_site.ParleyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "site_config.middleware.RequestLogMiddleware",
    "site_config.middleware.HeadersMiddleware",
    # Before all that may answer by itself: refuse a host, add a slash, or say 429.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "site_config.middleware.LanguageMiddleware",
    "site_config.middleware.ThrottleMiddleware",
    "messaging.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "site_config.urls"
WSGI_APPLICATION = "site_config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# From Django 6 on, partial tags are built in: no template says {% load partials %}.
PARTIAL_TAGS = ["template_partials.templatetags.partials"] if django.VERSION < (6, 0) else []
if PARTIAL_TAGS:
    INSTALLED_APPS.append("template_partials")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [*PARTIAL_TAGS],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Data ----------------------------------------------------------------------------------------

LOCK_TIMEOUT = 4  # seconds that a write waits for another one
STATEMENT_TIMEOUT = env.int("DATABASE_TIMEOUT", default=10)  # seconds for a query; 0: no end

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/parley.sqlite3")}
# Opening a database anew for each request would cost more than a whole page.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a write waits its turn instead of failing half-way
        "timeout": LOCK_TIMEOUT,
        "init_command": (
            "PRAGMA journal_mode=WAL;"
            "PRAGMA synchronous=FULL;"  # acknowledged means durable
            "PRAGMA secure_delete=ON;"  # deleted words don't stay in free pages
            "PRAGMA journal_size_limit=67108864;"
        ),
    }
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # What takes longer is broken off, and answered with 503; DATABASE_URL?sslmode=… may say more.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,  # milliseconds: a server whose network is gone
        "options": (
            f"-c lock_timeout={LOCK_TIMEOUT}s"
            f" -c statement_timeout={STATEMENT_TIMEOUT}s"
            f" -c idle_in_transaction_session_timeout={STATEMENT_TIMEOUT}s"
            " -c jit=off"  # a page's queries are over before they could be compiled
        ),
    } | DATABASES["default"]["OPTIONS"]
    if pool_size := env.int("DATABASE_POOL", default=0):
        # Instead of one connection a thread: at most so many a process, and a short wait for one.
        pool = {"min_size": 1, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 2}
        DATABASES["default"]["OPTIONS"]["pool"] = pool
        DATABASES["default"]["CONN_MAX_AGE"] = 0

ERASURE_LOG = DATA_DIR / "erasures.log"  # who left since a backup: outside the database

REDIS_URL = env("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {
                "CLIENT_CLASS": "messaging.standby.StandbyClient",  # goes on without the server
                "IGNORE_EXCEPTIONS": True,  # a cache that fails is a cache that misses
                "SOCKET_CONNECT_TIMEOUT": 0.25,  # seconds
                "SOCKET_TIMEOUT": 0.25,
            },
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        }
    }

# What {% cache %} and messaging.fragments use: the default cache, counted, that never raises.
CACHES["template_fragments"] = {
    "BACKEND": "messaging.cache.FragmentCache",
    "LOCATION": "default",
}

SESSION_ENGINE = "site_config.sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# --- People --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["site_config.accounts.backends.MailboxBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = reverse_lazy("messaging:inbox")
LOGOUT_REDIRECT_URL = "/"

# Of who leaves: "erase" all they sent and received, or "keep" what others wrote to them.
MESSAGING_ACCOUNT_DELETION = env.str("MESSAGING_ACCOUNT_DELETION", default="erase")
if MESSAGING_ACCOUNT_DELETION not in ("erase", "keep"):
    refuse("MESSAGING_ACCOUNT_DELETION is either erase or keep.")

MESSAGING_THROTTLES = env.bool("MESSAGING_THROTTLES", default=True)
if IS_PUBLIC and not MESSAGING_THROTTLES:
    refuse("MESSAGING_THROTTLES=off is for load tests: a public site keeps its throttles.")

ACCOUNT_ADAPTER = "site_config.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="none")
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # to change addresses: an open browser is no proof
ACCOUNT_FORMS = {
    "add_email": "site_config.accounts.forms.AddressForm",
    "reset_password": "site_config.accounts.forms.ResetForm",
}
# allauth's trust the cache: whatever asks for a secret has a limit in accounts.throttles instead.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_SIGNUPS_PER_HOUR = env.int("ACCOUNT_SIGNUPS_PER_HOUR", default=5)
ACCOUNT_SIGNUP = env.str("ACCOUNT_SIGNUP", default="open")
if ACCOUNT_SIGNUP not in ("open", "invitation", "closed"):
    refuse("ACCOUNT_SIGNUP is open, invitation or closed.")

MFA_ADAPTER = "site_config.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "site_config.accounts.mfa_forms.ActivateAppForm",
    "add_webauthn": "site_config.accounts.mfa_forms.AddPasskeyForm",
    "authenticate": "site_config.accounts.mfa_forms.CodeForm",
    "authenticate_webauthn": "site_config.accounts.mfa_forms.PasskeyForm",
    "login_webauthn": "site_config.accounts.mfa_forms.PasskeyLoginForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Parley"
MFA_TOTP_TOLERANCE = 1  # half a minute for clocks that go wrong, and for slow fingers
MFA_ALLOW_UNVERIFIED_EMAIL = True  # who has to confirm an address isn't in before that
MFA_RATE_LIMITS = False
# Browsers hold a passkey to TLS; on the machine itself, they and we let http://localhost pass.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PUBLIC

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds: a thread that waits for a mail server answers nobody
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("DEFAULT_FROM_EMAIL", default="Parley <parley@localhost>")

# --- Safety --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

COOKIE_PREFIX = "__Host-" if IS_PUBLIC else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PUBLIC
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "site_config.views.csrf_failure"

SECURE_SSL_REDIRECT = IS_PUBLIC
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_PUBLIC else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PUBLIC
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_TLS_PROXY = env("BEHIND_TLS_PROXY", default="off")  # "on", or how many stand in a row
if BEHIND_TLS_PROXY.isdecimal():
    ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_TLS_PROXY)
else:
    ALLAUTH_TRUSTED_PROXY_COUNT = int(env.bool("BEHIND_TLS_PROXY", default=False))
if ALLAUTH_TRUSTED_PROXY_COUNT:  # only with proxies that overwrite the header
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload is the operator's decision

DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
FILE_UPLOAD_HANDLERS = ["site_config.uploads.FormSizedUploadHandler"]

# --- Words, times, files -------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("ar", "العربية"), ("de", "Deutsch"), ("en", "English"), ("fr", "Français")]
USE_TZ = True
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "site_config" / "translations"]
FORMAT_MODULE_PATH = "site_config.formats"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "site_config.storage.JoinedStorage"
    },
}

# --- Seeing what happens --------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime}.{msecs:03.0f}Z {levelname} {name} {message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S",  # of TIME_ZONE, which is UTC
            "style": "{",
        }
    },
    "filters": {"busy": {"()": "site_config.busy.WithoutTraceback"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Whoever asks a machine for a name it doesn't have gets a 400, and a line like any other.
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.request": {"filters": ["busy"]},
    },
}

MONITOR_TOKEN = env("MONITOR_TOKEN", default="")  # opens /metrics and /readyz?deep
if MONITOR_TOKEN and not find_spec("prometheus_client"):
    refuse("MONITOR_TOKEN needs prometheus-client: pip install -r requirements-extra.txt.")
if IS_PUBLIC and 0 < len(MONITOR_TOKEN) < 20:
    refuse("MONITOR_TOKEN can be guessed: make one of 20 characters or more.")

if SENTRY_DSN := env("SENTRY_DSN", default=""):
    if not find_spec("sentry_sdk"):
        refuse("SENTRY_DSN needs sentry-sdk: pip install -r requirements-extra.txt.")
    from site_config import reports

    reports.start(SENTRY_DSN)

# --- Development ---------------------------------------------------------------------------------

if DEBUG:
    try:
        import debug_toolbar  # noqa: F401
    except ImportError:  # DEBUG without requirements-dev.txt
        pass
    else:
        INSTALLED_APPS.append("debug_toolbar")
        MIDDLEWARE.insert(6, "debug_toolbar.middleware.DebugToolbarMiddleware")
        INTERNAL_IPS = ["127.0.0.1", "::1"]
