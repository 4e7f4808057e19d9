"""Three people who write to each other, with their pages open and warm, when something happens."""

from contextlib import contextmanager

from django.contrib.auth import get_user_model

from .factories import reply, write
from .visits import Visitor, Window, polled


class Room:
    """alice, bob and carol; bob writes with both others.

    Each of them, or only those named, has the pages open that `addresses(person)` gives.
    """

    def __init__(self, alice, bob, *names, addresses=polled):
        make = get_user_model().objects.create_user
        carol = make(username="carol", email="carol@example.com")
        self.alice, self.bob, self.carol = alice, bob, carol
        people = {person.username: person for person in (alice, bob, carol)}
        self.visitors = {name: Visitor(people[name]) for name in names or people}
        self._addresses = addresses
        self.first = write(alice, bob, "First words")
        self.answer = reply(self.first, "An answer")
        self.other = write(carol, bob, "From carol")
        self.told = set()  # who was told by a poll that something has changed

    @contextmanager
    def watched(self):
        """Everything is warm before; after it, it has to be what it is without a cache."""
        windows = {name: list(self._open_windows(name)) for name in self.visitors}
        yield
        for name, visitor in self.visitors.items():
            visitor.blink()
            if sum(window.poll() for window in windows[name]):
                self.told.add(name)
            for address in self._pages:
                visitor.look(address)

    def post(self, name, address, **fields):
        response = self.visitors[name].post(address, fields)
        assert response.status_code == 200, response.content.decode()
        return response.content.decode()

    def page(self, name, address):
        return self.visitors[name].get(address).content.decode()

    def leaves(self, name):
        del self.visitors[name]

    @property
    def _pages(self):
        return "/inbox/", f"/messages/{self.first.pk}/"

    def _open_windows(self, name):
        for address in self._pages:
            self.page(name, address)
        for address in self._addresses(self.visitors[name].person):
            yield (window := Window(self.visitors[name], address))
            window.open()
