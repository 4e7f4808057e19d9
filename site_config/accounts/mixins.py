from http import HTTPStatus

from django.forms import RadioSelect

from messaging.throttles import count

NAME_ATTRIBUTES = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class ThrottledMixin:
    """Count each POST before anything else is done about it.

    `throttles` says under which limits, and for each by a function who is counted.
    """

    throttles = {}

    def dispatch(self, request, *args, **kwargs):
        if request.method == "POST":
            self.counted = count({limit: who(request) for limit, who in self.throttles.items()})
        return super().dispatch(request, *args, **kwargs)


class VerbsMixin:
    """Refuse a wrong verb first: allauth would redirect some people, and take a PUT for a POST."""

    def dispatch(self, request, *args, **kwargs):
        if request.method.lower() not in self.http_method_names:
            return self.http_method_not_allowed(request)
        return super().dispatch(request, *args, **kwargs)


class FormPageMixin(VerbsMixin):
    """A page with one form: GET shows it, POST sends it, a wrong one comes back with 422."""

    http_method_names = ["get", "head", "post"]
    labels = {}  # what this site calls a field, by its name
    help_texts = {}

    def get_form(self, *args, **kwargs):
        form = super().get_form(*args, **kwargs)
        for name, field in form.fields.items():
            self._dress(name, field)
        return form

    def _dress(self, name, field):
        field.label = self.labels.get(name, field.label)
        if not isinstance(field.widget, RadioSelect):
            field.widget.attrs["class"] = "field__input"
        field.widget.attrs.pop("placeholder", None)  # the label says it
        if name in ("login", "username"):
            field.widget.attrs.update(NAME_ATTRIBUTES)
        if name in ("password", "oldpassword"):
            field.help_text = ""  # a link to the reset: each page has its own
        field.help_text = self.help_texts.get(name, field.help_text)

    def form_invalid(self, form):
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response


class ClearSiteDataMixin:
    """Have the browser drop what it kept of the site when the person leaves it."""

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        if not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response
