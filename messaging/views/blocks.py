from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from messaging.forms import find_person
from messaging.ids import read_id
from messaging.models import Block, Message, Standing
from messaging.paging import Page, PageKey, newest_first
from messaging.services import BlockService, ReceiverUnavailable
from messaging.throttles import PEOPLE, count_look

from .mixins import PartialMixin

PAGE_SIZE = 25
LIST = "list"


class BlockView(PartialMixin, TemplateView):
    """Block somebody, or unblock them: asks first; htmx gets the state as it is then."""

    template_name = "messaging/block.html"
    partial_name = "block-state"

    def get(self, request, *args, **kwargs):
        self.find_other()
        return self.show(self.standing.has_blocked)

    def post(self, request, *args, **kwargs):
        self.find_other()
        deed = DEEDS.get(request.POST.get("state"))
        if deed is None:
            return HttpResponse(status=422)
        try:
            deed(request.user, self.other)
        except ReceiverUnavailable as error:
            raise Http404 from error
        if request.htmx:
            return self.show(deed is BlockService.block)
        return HttpResponseRedirect(self.get_page())

    def find_other(self):
        """Find the person of the URL; 404 unless we share a message or the search finds them.

        Who blocked me is not there, like anybody whose account is closed; and names can't be tried
        out faster than by searching.
        """
        user = self.request.user
        self.other = find_person(self.kwargs["username"])
        self.standing = Standing.of(user, self.other)
        if self.standing.shares_message or self.standing.has_blocked:
            return
        count_look(PEOPLE, user.pk)
        if not self.standing.is_reachable or self.other == user:
            raise Http404

    def show(self, is_blocked):
        context = {"person": self.other, "is_blocked": is_blocked, "came_from": self.came_from}
        return self.render_to_response(self.get_context_data(**context))

    def get_page(self):
        """Return where they came from: the list, a thread, or else the conversation of the two."""
        if self.came_from == LIST or not self.standing.shares_message:
            return reverse("messaging:block-list")
        if self.came_from:
            return reverse("messaging:thread", args=[self.came_from])
        return reverse("messaging:conversation", args=[self.other.get_username()])

    @cached_property
    def came_from(self):
        """What `at` names: LIST, or a message of these two; "" if neither."""
        user = self.request.user
        at = (self.request.POST if self.request.method == "POST" else self.request.GET).get("at")
        if at == LIST:
            return LIST
        shared = Message.objects.visible_to(user).between(user, self.other)
        return str(shared.filter(pk=read_id(at)).values_list("pk", flat=True).first() or "")


DEEDS = {"blocked": BlockService.block, "unblocked": BlockService.unblock}


class BlockListView(PartialMixin, TemplateView):
    """Whom I blocked, the latest first; each can be unblocked."""

    http_method_names = ["get", "head"]
    template_name = "messaging/block_list.html"

    def get_context_data(self, **kwargs):
        before = PageKey.parse(self.request.GET.get("before"))
        found = Block.objects.visible_to(self.request.user).with_blocked()
        page = Page(
            lambda limit: newest_first(found, "created_at", before=before, limit=limit),
            "created_at",
            size=PAGE_SIZE,
        )
        return super().get_context_data(before=str(before or ""), page=page, **kwargs)
