from django.contrib.auth import middleware
from django.http import HttpResponse, QueryDict
from django.shortcuts import resolve_url


class LoginRequiredMiddleware(middleware.LoginRequiredMiddleware):
    """Closed by default: a view is for signed-in people unless it says `login_not_required`.

    A page that polls is told by 401 and HX-Redirect to go to the log-in page; a redirect would be
    followed, and the log-in form would land inside the inbox.
    """

    def handle_no_permission(self, request, view_func):
        if not request.htmx:
            return super().handle_no_permission(request, view_func)
        address = resolve_url(self.get_login_url(view_func))
        # The page to come back to, not the fragment; None when it is of another host.
        if page := request.htmx.current_url_abs_path:
            query = QueryDict(mutable=True)
            query[self.get_redirect_field_name(view_func)] = page
            address = f"{address}?{query.urlencode(safe='/')}"
        return HttpResponse(status=401, headers={"HX-Redirect": address})
