"""Writes clean_cases.json: pairs of a text and what the reference cleaning makes of it.

pip install ftfy==6.3.1 regex; python3 make_clean_cases.py [COUNT [SEED]] > clean_cases.json

The reference is prompt_clean of diffusers' pipeline_wan.py with ftfy's mojibake repair switched off.
"""

import html
import json
import random
import sys
import unicodedata
from html.entities import html5

import ftfy
import regex

HAND_PICKED = [
    "",
    " ",
    "\n\n",
    "plain",
    "a red circle moving right on a black background",
    "  two   spaces\tand\na newline  ",
    "Fish &amp; chips &lt;b&gt; &amp;amp; more",
    "“curly” ‘quotes’ and an ellipsis…",
    "don’t",
    "ʼn",
    "ŉ",
    "ｆｕｌｌｗｉｄｔｈ　ＡＢＣ１２３！",
    "ｶﾞｷﾞ ﾊﾟ ﾀｰﾝ",
    "￠￡￢￣￤￥￦￨￩￪￫￬￭￮",
    "ﾠﾡﾢￄￇￒￚ",
    "ﬁne ﬂow ﬃ ﬄ ﬅ ﬆ ﬀ",
    "Ĳĳ Ǆǅǆ ǇǈǉǊǋǌ Ǳǲǳ",
    "e\u0301 A\u030a \u0344 \u1100\u1161\u11a8 \u2126 \u212b",
    "q\u0323\u0307 q\u0307\u0323",
    "\u0958 \u2adc \U0001d15e",
    "tab\u00a0nbsp\u2003em\u3000wide\u1680ogham\u180emongol\u200bzero\u2060joiner",
    "a\u2028b\u2029c\u0085d\r\ne\rf\r\r\ng",
    "control\x07bell\x1b[31mred\x1b[0m",
    "\x1b[1;31;42mx\x1b[m \x1b[١٢mdigits \x1b[?25l \x1b[12 \x1b[;;;Zend",
    "\x1b\x07[31mx",
    "&#27;[31mx",
    "\ufeffbom \u206a\u206f \ufff9a\ufffab\ufffbc \ufffc",
    "C1 \x80\x81\x85\x8d\x91\x92\x93\x94\x9d\x9f",
    "a < b &amp; c",
    "a &lt; b\nx < y &amp; z\n&amp;amp; after",
    "&lt;b&gt; first\n<i> &amp; second\n&eacute; third",
    "&amp;amp;amp;amp;lt;",
    "&amp;lt;b&amp;gt; &lt;",
    "&notit; &not &notin; &notinva; this&not that&not;",
    "&lt",
    "&ltx",
    "&amp",
    "&",
    "&;",
    "&#",
    "&#;",
    "&#x",
    "&#x;",
    "&#xg;",
    "&#65",
    "&#65;",
    "&#x41;",
    "&#X41;",
    "&#x41",
    "&#65a;",
    "&#59;",
    "&#x3b;",
    "&#0;",
    "&#x80;&#x85;&#x9f;",
    "&#129;",
    "&#13;",
    "&#9;",
    "&#10;",
    "&#1;",
    "&#11;",
    "&#127;",
    "&#xd800;",
    "&#xdfff;",
    "&#x110000;",
    "&#xffffffffffffffffffff;",
    "&#99999999999999999999999;",
    "&#9999999999999999999999999;",
    "&#xfdd0;",
    "&#xfffe;",
    "&#x1ffff;",
    "&#xfffd;",
    "&#38;amp;",
    "&#x26;lt;",
    "&EACUTE; &Eacute; &eacute; &eACUTE;",
    "BUNDESSTRA&SZLIG;E",
    "&NBSP;x&NBSP;",
    "&FFLIG; &FJLIG; &NAPOS; &IOTA; &COPY; &TRADE; &REG; &GT; &LT; &AMP; &QUOT;",
    "&frac12; &FRAC12; &frac12 &FRAC12",
    "&there4; &THERE4;",
    "&fjlig;",
    "&NotEqualTilde;",
    "&CounterClockwiseContourIntegral;",
    "&acE; &bne;",
    "&hellip;&ldquo;x&rdquo;&rsquo;",
    "&lsquo;&#8216;",
    "&copy 2020 &copy2020 &copyright;",
    "&reg&reg;&regx",
    "&nbsp &nbsp;",
    "&ampamp;",
    "&amp;#39;",
    "&amp;nbsp;",
    "&lt;&lt; <&lt;",
    '<a href="x?a=1&copy=2&lt=3">',
    "&" * 5 + "amp;" * 5,
    "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
    "&ampaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
    "&é; &amp\u00e9; &\u200bamp;",
    "&\uff23OPY;",
    "\uff06amp; \uff06lt;",
    "\uff1camp\uff1e &amp;",
    "\uff06\uff03\uff18\uff12\uff11\uff17\uff1b",
    "&ldquo\uff1b",
    "色调艳丽，过曝，静态，细节模糊不清，字幕",
    "emoji 🎬🔥 👩‍👩‍👧 🇫🇷 \U000e0067",
    "naïve café 漢字 かな",
    "A—B–C",
    "100% & 50 °C ½ ²",
    "▁meta▁",
    "<extra_id_0> </s> <pad>",
    "\u0130\u0131 ß ẞ",
    "ﾞﾟ か\uff9e ハ\uff9f",
    "Ａ\u030a",
    "ﬀ\u0301",
    "x\u0338 =\u0338 <\u0338 >\u0338",
    "\ufdfa \ufb1d \ufb50 ﷲ",
    "\u037e \u0387 \u1fbe \u1fef",
]

PIECES = [
    list("abz AZ09 &#;<>[]m\"'"),
    ["&" + name for name in html5],
    ["&" + name.upper() for name in html5 if name.endswith(";")],
    [
        "&amp;",
        "&lt;",
        "&#39;",
        "&#x27;",
        "&quot",
        "&nbsp;",
        "&amp;amp;",
        "&#x1b;",
        "&#xff01;",
        "&#8217;",
        "&#150;",
    ],
    [
        "\x1b[",
        "\x1b[0m",
        "\x1b[1;3",
        "\x1b",
        "\r\n",
        "\r",
        "\n",
        "\u2028",
        "\u2029",
        "\x85",
        "\t",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1f",
        "\x7f",
        "\x00",
    ],
    [chr(c) for c in range(0xFF00, 0xFFF0)],
    [chr(c) for c in range(0x80, 0x180)],
    [chr(c) for c in range(0x300, 0x345)],
    [chr(c) for c in range(0x2000, 0x2070)],
    [chr(c) for c in range(0x1C4, 0x1F4)],
    [chr(c) for c in range(0xFB00, 0xFB50)],
    [chr(c) for c in range(0x1100, 0x1200)] + [chr(c) for c in range(0xAC00, 0xAC40)],
    [chr(c) for c in range(0x3000, 0x3100)],
    [chr(c) for c in range(0x1E00, 0x2000)],
    [chr(c) for c in range(0x1F300, 0x1F340)],
    [chr(c) for c in range(0x900, 0xA40)],
    [chr(c) for c in range(0x20, 0x3000) if unicodedata.category(chr(c)) != "Cn"],
    [chr(c) for c in range(0xF900, 0xFFFE) if unicodedata.category(chr(c)) != "Cn"],
    ["a red circle", "moving left", " on a ", "black background", ", ", "ＡＢＣ", "“", "”", "’"],
]


def clean(text):
    text = ftfy.fix_text(text, fix_encoding=False)
    text = html.unescape(html.unescape(text)).strip()
    return regex.sub(r"\s+", " ", text).strip()


def random_text(rng):
    kinds = rng.sample(PIECES, rng.randint(1, 4))
    return "".join(rng.choice(rng.choice(kinds)) for _ in range(rng.randint(1, 14)))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 700
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    texts = list(dict.fromkeys(HAND_PICKED + [random_text(rng) for _ in range(count)]))
    print("[\n" + ",\n".join(json.dumps([text, clean(text)], ensure_ascii=True) for text in texts) + "\n]")


main()
