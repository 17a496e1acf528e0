#!/usr/bin/env python3
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual pages.

man.py commands PROGRAM         ipc-gateway(1), from what PROGRAM says of its own commands
man.py configuration FILE.md    ipc-gateway.yaml(5), from docs/configuration.md

SOURCE_DATE_EPOCH gives the date, otherwise there is none. The version is in the environment, VERSION.
"""

import datetime
import json
import os
import re
import subprocess
import sys

SOURCE = "ipc-gateway " + os.environ.get("VERSION", "")
EPOCH = os.environ.get("SOURCE_DATE_EPOCH")
DATE = datetime.datetime.fromtimestamp(int(EPOCH), datetime.timezone.utc).strftime("%Y-%m-%d") if EPOCH else ""


# --- roff -----------------------------------------------------------------------------------------------------------


def escaped(text, literal=False):
    """Text that roff prints as it is; hyphens of what one types are no hyphens to be broken at."""
    text = text.replace("\\", "\\e").replace("…", "...")
    if literal:
        text = text.replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return text


def line(text):
    """One line that is not taken for a request."""
    return "\\&" + text if text[:1] in (".", "'") else text


def styled(text, literal=False):
    """A sentence; in one from a program's help, options and file names are to be typed."""
    if literal:
        return re.sub(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", lambda found: "\\fB" + escaped(found[1], True) + "\\fR", escaped(text))
    return escaped(text)


def header(name, section, volume):
    return [f'.TH {name.upper()} {section} "{DATE}" "{SOURCE}" "{volume}"', ".nh", ".ad l"]


def example(lines):
    return [".PP", ".RS 4", ".nf", *(line(escaped(text, True)) for text in lines), ".fi", ".RE"]


# --- ipc-gateway(1) -------------------------------------------------------------------------------------------------


def discussion(text):
    """Paragraphs are filled; lines with an indent or columns stay as they are."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        rest = paragraph.split("\n")
        while rest:
            columns = lambda one: re.search(r"^ |\S {2,}\S|^[A-Z][a-z ]*: +(ipc-gateway|mv|kill) ", one) is not None
            kept = columns(rest[0])
            count = next((index for index, one in enumerate(rest) if columns(one) != kept), len(rest))
            if kept:
                indent = min(len(one) - len(one.lstrip()) for one in rest[:count])
                out += example(one[indent:] for one in rest[:count])
            else:
                out += [".PP", *(line(styled(one, True)) for one in rest[:count])]
            rest = rest[count:]
    return out


def spelled(name):
    return escaped(("--" if name["kind"] == "long" else "-") + name["name"], True)


def shown(arguments):
    """Without what every command has; it is said once."""
    return [one for one in arguments if one["shouldDisplay"] and one["valueName"] not in ("help", "version")]


def synopsis(argument):
    if argument["kind"] == "positional":
        text = f"\\fI{escaped(argument['valueName'], True)}\\fR"
    else:
        text = f"\\fB{spelled(argument['preferredName'])}\\fR"
        if argument["kind"] == "option":
            text += f" \\fI{escaped(argument['valueName'], True)}\\fR"
    if argument["isRepeating"]:
        text += " ..."
    return f"[{text}]" if argument["isOptional"] else text


def option(argument):
    value = f"\\fI{escaped(argument['valueName'], True)}\\fR"
    if argument["kind"] == "positional":
        tag = value
    else:
        tag = ", ".join(f"\\fB{spelled(name)}\\fR" for name in argument["names"])
        if argument["kind"] == "option":
            tag += " " + value
    words = argument.get("abstract", "")
    default = argument.get("defaultValue")
    if default is not None and argument["kind"] != "flag" and "(default:" not in words:
        words += f" (default: {default})"
    out = [".TP", tag, line(styled(words, True)) if words else "\\&"]
    if argument.get("discussion"):
        out += ["", line(styled(argument["discussion"].replace("\n", " "), True))]
    return out


def leaves(command, path):
    children = [one for one in command.get("subcommands", []) if one["shouldDisplay"] and one["commandName"] != "help"]
    if not children:
        yield path, command
    for child in children:
        yield from leaves(child, path + [child["commandName"]])


def groups(command, path):
    """Commands that have commands."""
    children = [one for one in command.get("subcommands", []) if one["shouldDisplay"] and one["commandName"] != "help"]
    for child in children:
        if child.get("subcommands"):
            yield path + [child["commandName"]], child


def commands(program):
    root = json.loads(subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout)
    if root["serializationVersion"] != 0:
        sys.exit("man.py: the program describes its commands in a new way; man.py has to learn it")
    root = root["command"]
    name = root["commandName"]
    all_leaves = list(leaves(root, []))
    out = header(name, 1, "User Commands")
    # Without its full stop, as NAME sections are.
    out += [".SH NAME", f"{escaped(name, True)} \\- {escaped(root['abstract'].rstrip('.'))}"]
    out += [".SH SYNOPSIS", f".B {escaped(name, True)}", "\\fICOMMAND\\fR [\\fIoption\\fR ...]", ".br"]
    out += [f".B {escaped(name, True)}", "[\\fICOMMAND\\fR] \\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR"]
    out += [".SH DESCRIPTION", *discussion(root.get("discussion", ""))[1:]]
    out += [".SH COMMANDS"]
    seen = set()
    for path, group in groups(root, []):
        seen.add(path[0])
    for path, command in all_leaves:
        for group_path, group in groups(root, []):
            if path[0] == group_path[0] and path[0] in seen:
                seen.discard(path[0])
                out += [f'.SS "{escaped(" ".join(group_path), True)}"', line(styled(group.get("abstract", ""), True))]
                out += discussion(group.get("discussion", "")) if group.get("discussion") else []
        out += [f'.SS "{escaped(" ".join(path), True)}"']
        arguments = shown(command.get("arguments", []))
        words = [f"\\fB{escaped(name + ' ' + ' '.join(path), True)}\\fR"]
        options = [one for one in arguments if one["kind"] != "positional"]
        words += [synopsis(one) for one in options if not one["isOptional"]]
        words += ["[\\fIoption\\fR ...]"] if any(one["isOptional"] for one in options) else []
        words += [synopsis(one) for one in arguments if one["kind"] == "positional"]
        out += [" ".join(words), ".PP", line(styled(command.get("abstract", ""), True))]
        section = None
        for argument in arguments:
            if argument.get("sectionTitle") != section:
                section = argument.get("sectionTitle")
                out += [".PP", f"\\fI{escaped(section)}\\fR"] if section else []
            out += option(argument)
        out += discussion(command["discussion"]) if command.get("discussion") else []
    out += [".SH FILES", ".TP", ".I /etc/ipc\\-gateway/gateway.yaml", "The configuration that the service reads;"]
    out += [".BR ipc\\-gateway.yaml (5)."]
    out += [".SH SEE ALSO", ".BR ipc\\-gateway.yaml (5)", ".PP", "Other documents are in"]
    out += [".IR /usr/share/doc/ipc\\-gateway ."]
    return out


# --- ipc-gateway.yaml(5) --------------------------------------------------------------------------------------------


def inline(text):
    """Markdown within a line."""
    out = []
    for part in re.split(r"(`[^`]+`|\[[^\]]*\]\([^)]*\)|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*(?![\w*]))", text):
        if part.startswith("`"):
            out.append("\\fB" + escaped(part[1:-1], True) + "\\fR")
        elif link := re.fullmatch(r"\[([^\]]*)\]\(([^)]*)\)", part):
            document = link[2].split("#")[0]
            out.append(inline(link[1]) + (f" (see {escaped(document)})" if document not in ("", link[1]) else ""))
        elif part.startswith("**"):
            out.append("\\fB" + inline(part[2:-2]) + "\\fR")
        elif part.startswith("*") and len(part) > 2:
            out.append("\\fI" + inline(part[1:-1]) + "\\fR")
        else:
            out.append(escaped(part))
    return "".join(out)


def cells(text):
    return [one.strip().replace("\\|", "|") for one in re.split(r"(?<!\\)\|", text.strip().strip("|"))]


def table(lines):
    # The second line is the one between head and rows.
    head, _, *rows = map(cells, lines)
    out = []
    for row in rows:
        tag = inline(row[0])
        body = row[1:]
        if len(body) == 2 and head[1] in ("", "default"):
            if body[0]:
                tag += f" ({inline(body[0])})"
            body = body[1:]
            words = [inline(body[0])]
        else:
            titles = head[1:]
            words = [(f"\\fI{inline(title)}:\\fR " if title and len(body) > 1 else "") + inline(cell) for title, cell in zip(titles, body)]
        out += [".TP 8", line(tag)]
        for index, one in enumerate(words):
            out += ([".br"] if index else []) + [line(one) if one else "\\&"]
    return out


def configuration(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    out = header("ipc-gateway.yaml", 5, "File Formats")
    out += [".SH NAME", "ipc\\-gateway.yaml \\- configuration of ipc\\-gateway", ".SH DESCRIPTION"]
    fresh = True
    index = 0
    while index < len(lines):
        text = lines[index]
        if text.startswith("# "):
            pass
        elif text.startswith("## "):
            out.append(f'.SH "{escaped(text[3:].upper(), True)}"')
            fresh = True
        elif text.startswith("### "):
            out.append(f'.SS "{escaped(text[4:], True)}"')
            fresh = True
        elif text.startswith("```"):
            end = next(at for at in range(index + 1, len(lines)) if lines[at].startswith("```"))
            out += example(lines[index + 1 : end])
            index = end
            fresh = False
        elif text.startswith("|"):
            end = next(at for at in range(index, len(lines) + 1) if at == len(lines) or not lines[at].startswith("|"))
            out += table(lines[index:end])
            index = end - 1
            fresh = False
        elif found := re.match(r"(- |\d+\. )(.*)", text):
            # A list of links is the page's own table of contents.
            words = [found[2]]
            while index + 1 < len(lines) and lines[index + 1].startswith("  "):
                index += 1
                words.append(lines[index].strip())
            if not re.fullmatch(r"(\[[^\]]*\]\(#[^)]*\)[\s·]*)+", " ".join(words)):
                bullet = "\\(bu 2" if found[1] == "- " else found[1].strip() + " 4"
                out += [".IP " + bullet, *(line(inline(one)) for one in [" ".join(words)])]
            fresh = False
        elif text.strip():
            paragraph = [text.strip()]
            while index + 1 < len(lines) and lines[index + 1].strip() and not re.match(r"(#|```|\||- |\d+\. )", lines[index + 1]):
                index += 1
                paragraph.append(lines[index].strip())
            out += ([] if fresh else [".PP"]) + [line(inline(" ".join(paragraph)))]
            fresh = False
        index += 1
    out += [".SH SEE ALSO", ".BR ipc\\-gateway (1)"]
    return out


PAGES = {"commands": commands, "configuration": configuration}

if len(sys.argv) != 3 or sys.argv[1] not in PAGES:
    sys.exit(__doc__)
sys.stdout.reconfigure(encoding="utf-8")
print("\n".join(PAGES[sys.argv[1]](sys.argv[2])))
