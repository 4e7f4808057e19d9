from django.contrib.auth import get_user_model, logout, middleware
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, OperationalError
from django.http import HttpResponse, QueryDict
from django.shortcuts import resolve_url


class LoginRequiredMiddleware(middleware.LoginRequiredMiddleware):
    """Closed by default: a view is for signed-in people unless it says `login_not_required`.

    A page that polls is told by 401 and HX-Redirect to go to the log-in page; a redirect would be
    followed, and the log-in form would land inside the inbox.
    """

    def process_exception(self, request, exception):
        """Sign out whoever's account went while they asked for something that needs it."""
        is_of_rows = isinstance(exception, (DatabaseError, ObjectDoesNotExist))
        if not is_of_rows or isinstance(exception, OperationalError):
            return None
        if not request.user.is_authenticated or _exists(request.user):
            return None
        logout(request)
        return self.handle_no_permission(request, request.resolver_match.func)

    def handle_no_permission(self, request, view_func):
        if not request.htmx:
            return super().handle_no_permission(request, view_func)
        address = resolve_url(self.get_login_url(view_func))
        if page := _page(request):
            query = QueryDict(mutable=True)
            query[self.get_redirect_field_name(view_func)] = page
            address = f"{address}?{query.urlencode(safe='/')}"
        return HttpResponse(status=401, headers={"HX-Redirect": address})


def _exists(user):
    return get_user_model()._base_manager.filter(pk=user.pk).exists()


def _page(request):
    """Return the page to come back to, not the fragment; None when it is of another host."""
    try:
        return request.htmx.current_url_abs_path
    except ValueError:  # no address at all
        return None
