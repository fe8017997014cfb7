"""The rows of the search index. A migration makes of them what the database searches by: 0002_search.py."""

from __future__ import annotations

from django.db import models


class SearchEntry(models.Model):
    """A call as it can be found: its marks (marks.py) and its new text (texts.py). `number` is its place (places.py).

    One whose call `is_open` is made anew when the call is over. Only the search reads it, and all can be made again.
    """

    number = models.BigIntegerField(primary_key=True)
    call_id = models.TextField(unique=True)
    is_open = models.BooleanField()
    cost_microdollars = models.BigIntegerField(null=True)
    total_ms = models.FloatField(null=True)
    marks = models.TextField()
    text = models.TextField()

    class Meta:
        app_label = "observability"
        verbose_name_plural = "search entries"
        indexes = [models.Index(fields=["number"], name="search_open", condition=models.Q(is_open=True))]

    def __str__(self) -> str:
        return self.call_id
