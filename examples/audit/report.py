"""Gathers what the other tasks found into one page."""

from common import needed

SHOWN = 6
CHECKERS = ["check_cpp_1", "check_cpp_2", "check_cpp_3", "check_cpp_4", "check_scripts"]


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


def shortened(items):
    for item in items[:SHOWN]:
        print(f"  {item}")
    if len(items) > SHOWN:
        print(f"  and {len(items) - SHOWN} more")


listing, lines, functions, patterns = (needed(name) for name in ("list", "lines", "functions", "patterns"))
print(f"Audit of {listing['tree'].rsplit('/', 1)[-1]}: {len(listing['files'])} files, {sum(entry['lines'] for entry in lines.values())} lines")

heading("Languages")
for language, entry in sorted(lines.items(), key=lambda item: -item[1]["lines"]):
    print(f"  {language:<12}{entry['files']:>6} files{entry['lines']:>9} lines")

heading(f"Largest of {functions['count']} functions")
for function in functions["largest"]:
    print(f"  {function['lines']:>5} lines  {function['name']}  ({function['path']}:{function['line']})")

heading("Static checks")
findings, checked = [], 0
for name in CHECKERS:
    result = needed(name)
    if result is None:
        print(f"  {name} gave no result")
        continue
    checked += result["checked"]
    findings += result["findings"]
    if "remark" in result:
        print(f"  {name}: {result['remark']}")
print(f"  {checked} files checked, {len(findings)} findings")
shortened(findings)

heading("Worth a second look")
for name, places in patterns.items():
    print(f"  {name + ':':<24}{len(places)}")
    shortened([f"    {place}" for place in places])
