import pytest

from observability.calls.pictures import MOST, picture
from policies.content import Image


def test_an_image_of_the_request_is_shown_from_the_record() -> None:
    assert picture(Image("image/png", "iVBO\nRw==")) == "data:image/png;base64,iVBORw=="


@pytest.mark.parametrize(
    "image",
    [
        None,
        Image(url="https://evil.invalid/x.png"),
        Image("image/svg+xml", "AAAA"),
        Image("text/html", "AAAA"),
        Image("image/png\n", "AAAA"),
        Image("image/png", ""),
        Image("image/png", 'A" onerror="alert(1)'),
        Image("image/png", "A" * (MOST + 1)),
    ],
)
def test_nothing_else_is_shown_as_an_image(image: Image | None) -> None:
    assert picture(image) == ""
