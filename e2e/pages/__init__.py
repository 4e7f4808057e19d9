"""Page objects: locators by role and label, and the verbs of what a person does there."""

from e2e.pages.account import AccountPage, SignUpPage
from e2e.pages.compose import ComposePage
from e2e.pages.conversation import ConversationPage
from e2e.pages.inbox import InboxPage
from e2e.pages.login import PASSWORD, LoginPage
from e2e.pages.notifications import NotificationPage
from e2e.pages.people import BlockedPage, PeoplePage
from e2e.pages.second_factor import CodePage, SecondFactorPage, SessionsPage
from e2e.pages.site import SitePage
from e2e.pages.thread import ThreadPage

__all__ = [
    "PASSWORD",
    "AccountPage",
    "BlockedPage",
    "CodePage",
    "ComposePage",
    "ConversationPage",
    "InboxPage",
    "LoginPage",
    "NotificationPage",
    "PeoplePage",
    "SecondFactorPage",
    "SessionsPage",
    "SignUpPage",
    "SitePage",
    "ThreadPage",
]
