#!/usr/bin/env python3
"""Prints `PASSED FAILED` of a Catch2 XML report, and the failures in words on standard error.

A report that is missing or cut short counts as one failure more, as does an exit code that the
report does not explain: a crash must not look like a pass.
"""

import sys
import xml.etree.ElementTree as ElementTree


def describe(case):
    for expression in case.iter("Expression"):
        if expression.get("success") == "false":
            yield "  {}:{}: {}".format(
                expression.get("filename"), expression.get("line"),
                (expression.findtext("Expanded") or "").strip()[:400])
    for kind in ("Failure", "FatalErrorCondition", "Exception", "Info"):
        for node in case.iter(kind):
            yield f"  {kind}: {(node.text or '').strip()[:2000]}"


def main():
    report, exit_code = sys.argv[1], int(sys.argv[2])
    passed = failed = 0
    try:
        cases = list(ElementTree.parse(report).iter("TestCase"))
    except (OSError, ElementTree.ParseError) as error:
        print(f"no report: {error}; exit code {exit_code}", file=sys.stderr)
        print(0, 1)
        return
    for case in cases:
        if case.find("OverallResult").get("success") == "true":
            passed += 1
            continue
        failed += 1
        print("FAILED:", case.get("name"), file=sys.stderr)
        print("\n".join(describe(case)), file=sys.stderr)
    if not cases or (exit_code and not failed):
        print(f"{report}: {len(cases)} cases, exit code {exit_code}", file=sys.stderr)
        failed += 1
    print(passed, failed)


if __name__ == "__main__":
    main()
