"""Finds the tool of a client for what a script wants done: clients name their tools, and the arguments, differently."""

from exchange import Tool

# Names of tools that write a file, and of their arguments.
WRITERS = {"Write": ("file_path", "content"), "write_file": ("file_path", "content"), "write": ("filePath", "content")}
# Names of tools that run a shell command, and what they take.
SHELLS = {
    "Bash": lambda command: {"command": command, "description": "Runs a command"},
    "bash": lambda command: {"command": command, "description": "Runs a command"},
    "run_shell_command": lambda command: {"command": command, "description": "Runs a command"},
    "exec_command": lambda command: {"cmd": command, "yield_time_ms": 30_000},  # else it goes on without the command after 10 s
    "shell_command": lambda command: {"command": command},
    "shell": lambda command: {"command": ["sh", "-c", command]},
}


def call_of(wanted: dict, offered: tuple[Tool, ...]) -> tuple[Tool, dict] | None:
    """The tool and its input; None: the client offers none for it."""
    by_name = {tool.name: tool for tool in offered}
    if "write" in wanted:
        return writing(wanted["write"], wanted["content"], by_name)
    if "shell" in wanted:
        return next(((by_name[name], make(wanted["shell"])) for name, make in SHELLS.items() if name in by_name), None)
    if "mcp" in wanted:
        # "mcp__bidboard__ready", "mcp_bidboard_ready", "bidboard_ready", or "ready" in the namespace "mcp__bidboard".
        fitting = (tool for tool in offered
                   if "bidboard" in tool.namespace + tool.name and tool.name.removeprefix(tool.namespace).split("_")[-1] == wanted["mcp"])
        tool = next(fitting, None)
        return (tool, wanted.get("input", {})) if tool else None
    return (by_name[wanted["tool"]], wanted.get("input", {})) if wanted["tool"] in by_name else None


def writing(path: str, content: str, by_name: dict[str, Tool]) -> tuple[Tool, dict] | None:
    for name, (path_key, content_key) in WRITERS.items():
        if name in by_name:
            return by_name[name], {path_key: path, content_key: content}
    if "apply_patch" in by_name:
        added = "".join(f"+{line}\n" for line in content.splitlines())
        return by_name["apply_patch"], {"input": f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n"}
    # What is left to a client without such a tool.
    return call_of({"shell": f"printf '%s' '{content}' > '{path}'"}, tuple(by_name.values()))
