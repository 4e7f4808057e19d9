import os

from django.conf import settings
from django.core.management.base import BaseCommand

from site_config.accounts.services import InvitationService


class Command(BaseCommand):
    help = "Print a link with which one person can sign up (ACCOUNT_SIGNUP=invitation)."

    def add_arguments(self, parser):
        parser.add_argument("--email", default="", help="whoever uses it has this address")
        parser.add_argument("--days", type=int, default=7, help="how long it is good")

    def handle(self, *args, email, days, **options):
        _, token = InvitationService.invite(email=email, days=days)
        self.stdout.write(f"{_site()}{InvitationService.path(token)}")
        if settings.ACCOUNT_SIGNUP != "invitation":
            self.stderr.write(f"Nobody needs it: ACCOUNT_SIGNUP is {settings.ACCOUNT_SIGNUP}.")


def _site():
    here = f"http://127.0.0.1:{os.environ.get('PORT', 8000)}"
    return next(iter(settings.CSRF_TRUSTED_ORIGINS), here)
