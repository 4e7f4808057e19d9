from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.views.generic import TemplateView

from messaging.models import Block
from messaging.throttles import PEOPLE, count_look

from .mixins import PartialMixin

FEWEST_LETTERS = 2
MOST_PEOPLE = 10


class PersonSearchView(PartialMixin, TemplateView):
    """Who could be meant by the first letters of a name: suggestions for a field, or a page."""

    http_method_names = ["get", "head"]
    template_name = "messaging/people.html"
    partial_name = "suggestions"

    def get_context_data(self, **kwargs):
        asked = self.request.GET
        letters = asked.get("q", asked.get("to", "")).strip()
        is_enough = len(letters) >= FEWEST_LETTERS
        if is_enough:
            count_look(PEOPLE, self.request.user.pk)
        person_list = list(people_named(letters, asker=self.request.user)) if is_enough else []
        return super().get_context_data(
            letters=letters, is_enough=is_enough, person_list=person_list, **kwargs
        )


def people_named(letters, *, asker):
    """Return the first few people whose names start so, without the one who asks.

    Who blocked them is not found, like anybody whose account is closed.
    """
    people = get_user_model()._default_manager
    if "\0" in letters:  # no name has it, and PostgreSQL refuses to look
        return people.none()
    name = people.model.USERNAME_FIELD
    # SQLite ignores the case of ASCII letters only.
    starts = Q()
    for spelling in {letters, letters.lower(), letters.capitalize()}:
        starts |= Q((f"{name}__istartswith", spelling))
    blocks = Block.objects.filter(blocker=OuterRef("pk"), blocked=asker)
    found = people.filter(starts, ~Exists(blocks), is_active=True).exclude(pk=asker.pk)
    return found.only("pk", name).order_by(name)[:MOST_PEOPLE]
