"""Prints html_entities.inc: HTML5's named character references, from Python's own table.

python3 html_entities.py > html_entities.inc
"""

from html.entities import html5

rows = []
for name in sorted(n[:-1] for n in html5 if n.endswith(";")):
    value = [f"{ord(c):#x}" for c in html5[name + ";"]] + ["0"]
    assert html5.get(name, html5[name + ";"]) == html5[name + ";"] and len(value) <= 3
    rows.append('{"%s", %s, %s, %d},' % (name, value[0], value[1], name in html5))

line = ""
for row in rows:
    if len(line) + 1 + len(row) > 108:
        print(line)
        line = ""
    line += (" " if line else "") + row
print(line)
