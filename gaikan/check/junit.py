"""The outcome as JUnit XML, in the dialect that pytest writes and continuous integration reads."""

from xml.etree import ElementTree

from gaikan.check.check_tables import sentence
from gaikan.check.outcome import CheckOutcome
from gaikan.evaluation.verdict_names import INCONCLUSIVE


def as_xml(outcome: CheckOutcome) -> str:
    """A test case for each figure of each variant, and one for each finding."""
    cases = [_case(f.kind, "changed", f.text, not f.allowed) for f in outcome.findings]
    for line in outcome.lines:
        said = f"{line.verdict}: {sentence(line)}"
        worth_saying = line.fails or line.verdict == INCONCLUSIVE
        cases.append(_case(line.variant, line.figure, said if worth_saying else None, line.fails))
    failures, skipped = (str(sum(case.find(t) is not None for case in cases)) for t in _TAGS)
    counts = {"failures": failures, "skipped": skipped, "tests": str(len(cases)), "time": "0"}
    suite = ElementTree.Element("testsuite", {"name": "gaikan check", "errors": "0"} | counts)
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, "unicode", xml_declaration=True)
    return text + "\n"


_TAGS = ("failure", "skipped")


def _case(group: str, name: str, text: str | None, failed: bool) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=f"gaikan.{group}", name=name, time="0")
    if text is not None:
        result = ElementTree.SubElement(case, _TAGS[0] if failed else _TAGS[1], message=text)
        result.text = text
    return case
