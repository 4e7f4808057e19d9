from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from messaging.demo.scale import make_threads
from messaging.demo.stage import perform, read_cast

PASSWORD = "parley-demo"  # noqa: S105 (printed for everyone to read)

NOTHING = "There are people here already; nothing was seeded."

SEEDED = """\
Made {people} people and {messages} messages. To see two of them write to each other, sign in as
each in a browser of its own:

    name  alice    password  {password}
    name  bob      password  {password}

To make the first owner, who may open /admin/:  python manage.py createsuperuser"""

SCALED = """\
Made {messages} messages in {threads} threads among {people} people. The one with most of them:

    name  scale-0001    password  {password}"""


class Command(BaseCommand):
    help = (
        "Fill an empty site with a dozen people and four months of their conversation. "
        "Where anyone but a superuser lives already, it changes nothing and says so. "
        "Refused on a public host."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--password",
            default=PASSWORD,
            help="the password of everyone whom it makes (default: %(default)s)",
        )
        parser.add_argument(
            "--scale",
            type=int,
            default=0,
            metavar="N",
            help=(
                "make N further threads for the bench, whoever is here already: about five "
                "messages each, among N/4 people (10 to 500) called scale-0001 and on. Every other "
                "thread is scale-0001's. The first has 200 messages, 50 levels deep; from N = 1000 "
                "on, the second has 10,000 replies. The same N makes the same threads"
            ),
        )

    def handle(self, *, password, scale, **options):
        if getattr(settings, "IS_PUBLIC", True):
            raise CommandError("This is a public host: no demo is ever seeded here.")
        try:
            deeds = _do(password, scale)
        except ValidationError as error:  # a name of someone who left, or close to an owner's
            raise CommandError(f"Nothing was seeded: {' '.join(error.messages)}") from error
        self.stdout.write("\n\n".join(deeds) or NOTHING)


@transaction.atomic
def _do(password, scale):
    deeds = []
    if not _is_inhabited():
        deeds.append(_seed(password))
    if scale > 0:
        deeds.append(_scale(scale, password))
    return deeds


def _seed(password):
    people, messages = perform(password=password)
    return SEEDED.format(people=people, messages=messages, password=password)


def _is_inhabited():
    """Whether anyone is here besides owners, or an owner has a name of the cast."""
    people = get_user_model().objects.values_list("username", "is_superuser")
    cast = read_cast()
    return any(name.lower() in cast or not is_owner for name, is_owner in people.iterator())


def _scale(threads, password):
    people, messages = make_threads(threads, password=password)
    return SCALED.format(people=people, messages=messages, threads=threads, password=password)
