"""The addresses of messages: a contract, see the README."""

app_name = "messaging"

urlpatterns = []
