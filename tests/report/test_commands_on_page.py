"""A command between backticks is code on the page; nothing else becomes markup."""

from gaikan.language.words import plain, say
from gaikan.report.blocks import Alert, Cards, Document, Paragraph, ReportSection, StageCard
from gaikan.report.html_page import page_environment

SENTENCE = "Beyond `pip install gaikan`: <b> in openvino; not `<i>`; one ` alone."
SHOWN = (
    "Beyond <code>pip install gaikan</code>: &lt;b&gt; in openvino; not <code>&lt;i&gt;</code>; "
    "one ` alone."
)


def test_a_command_in_a_sentence_or_a_warning_is_code() -> None:
    warning = Alert(say("sentence", text=SENTENCE))
    card = StageCard(plain("`stage`"), plain("`a`"), [], [warning])
    section = ReportSection("pick", plain("x"), [Paragraph(plain(SENTENCE)), Cards([card])])
    report = Document(plain("`name`"), [], [], [section])
    nothing = {"policy": "", "style": "", "script": "", "data": {}, "gallery": []}
    page = (
        page_environment()
        .get_template("report.html.jinja")
        .render(report=report, language="en", ok=None, picture=None, **nothing)
    )
    assert f"<p>{SHOWN}</p>" in page.replace("\n", "")
    assert f'<span lang="ja">{SHOWN}。</span>' in page  # the full stop is that language's
    assert "<h1>`name`</h1>" in page  # a name is shown as it is
    assert "`a`" in page
