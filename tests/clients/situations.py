"""What is tried with each client. A function per situation; its name is the check's."""

from pathlib import Path

from clients import Client
from world import World, expect

USAGE = {"input": 1200, "output": 40, "cache_read": 300}
# Titles and summaries, which some clients ask for on their own.
ASIDE = {"name": "aside", "when": {"tools": False}, "steps": [{"text": "A title"}]}
SPENT = "SELECT coalesce(sum(money), 0), coalesce(sum(tokens), 0) FROM spending WHERE scope = 'board'"  # failed attempts too


def steps(*listed: dict) -> list:
    return [ASIDE, {"name": "work", "steps": [{"usage": USAGE, **step} for step in listed]}]


def spent_is_billed(world: World) -> None:
    """What the board says was spent is what the server bills."""
    price, tokens = (float(cell) for cell in world.value(SPENT).split("|"))
    expect(world.billed("tokens") > 0, "nothing was billed")
    expect(tokens == world.billed("tokens"), f"{tokens:.0f} tokens on the board, {world.billed('tokens'):.0f} billed")
    wanted = world.billed("usd")  # by clients that tell no price as well: bidboard.yaml has it
    expect(abs(price - wanted) < 2e-6, f"{price} USD on the board, {wanted} billed")


def basic(bidboard: Path, client: Client) -> None:
    """A task is done: a file is written, the last message is the result, what it cost arrives."""
    with World(bidboard, client, steps({"text": "I write it.", "calls": [{"write": "hello.txt", "content": "hello\n"}]},
                                       {"text": "It is written."})) as world:
        world.work()
        world.must("post", "Write hello.txt")
        world.task_ends()
        expect((world.project / "hello.txt").read_text().strip() == "hello", "hello.txt has something else in it")
        expect(world.value("SELECT result, attempts FROM tasks") == "It is written.|1", world.value("SELECT result, attempts FROM tasks"))
        spent_is_billed(world)
        expect(not world.problems(), str(world.problems()))


def outage(bidboard: Path, client: Client) -> None:
    """429 with retry-after: the account rests, no attempt is used up; then the board goes on by itself."""
    limit = {"name": "limit", "while": "$FOLDER/limit", "error": {"kind": "rate_limit", "retry_after": 3600}}
    with World(bidboard, client, [limit, *steps({"text": "Done after the outage."})]) as world:
        world.file("limit").touch()
        world.work()
        world.must("post", "first")
        world.must("post", "second")
        world.becomes("SELECT state, outage FROM breakers WHERE name = 'team'", "open|rate_limit")
        world.becomes("SELECT group_concat(state, ',') FROM tasks", "ready,ready")
        expect(world.value("SELECT sum(attempts) FROM tasks") == "0", "the outage used up an attempt")
        expect("rests with account team" in world.must("explain", "t2"), world.must("explain", "t2"))
        world.file("limit").unlink()
        world.must("probe", "team")
        world.task_ends(task="t1")
        world.task_ends(task="t2")
        spent_is_billed(world)


def overload(bidboard: Path, client: Client) -> None:
    """The provider is overloaded, all the time: the account rests."""
    with World(bidboard, client, [{"error": {"kind": "overload"}}]) as world:
        world.work()
        world.must("post", "first")
        world.becomes("SELECT state, outage FROM breakers WHERE name = 'team'", "open|overload")
        world.becomes("SELECT state, attempts FROM tasks", "ready|0")


def bad_key(bidboard: Path, client: Client) -> None:
    """An invalid key takes the account out: authentication."""
    with World(bidboard, client, steps({"text": "never"}), keys=["sk-other"]) as world:
        world.work()
        world.must("post", "first")
        world.becomes("SELECT state, outage FROM breakers WHERE name = 'team'", "open|authentication")
        world.becomes("SELECT state, attempts FROM tasks", "ready|0")


def credit(bidboard: Path, client: Client) -> None:
    """Nothing is left to pay with: the account rests, and why is said."""
    with World(bidboard, client, [{"error": {"kind": "credit"}}]) as world:
        world.work()
        world.must("post", "first")
        wanted = {"credit", "quota"}  # clients do not all tell them apart
        world.eventually(lambda: world.value("SELECT outage FROM breakers WHERE name = 'team'") in wanted,
                         lambda: f"outage is '{world.value('SELECT outage FROM breakers')}'")
        world.becomes("SELECT state, attempts FROM tasks", "ready|0")


def cut(bidboard: Path, client: Client) -> None:
    """The connection breaks once in the middle of an answer: the task is done all the same."""
    broken = {"name": "cut", "when": {"tools": True}, "times": 1, "steps": [{"text": ["Half", "a sentence"], "cut": 2}]}
    with World(bidboard, client, [ASIDE, broken, *steps({"text": "Whole."})]) as world:
        world.work()
        world.must("post", "first")
        world.task_ends()
        expect(world.value("SELECT result FROM tasks") == "Whole.", world.value("SELECT result FROM tasks"))


def denial(bidboard: Path, client: Client) -> None:
    """What the client may not do is not done, and an attempt that stopped at it is no result."""
    outside = "$FOLDER/outside.txt"
    with World(bidboard, client, steps({"text": "I try.", "calls": [{"shell": f"touch {outside}"}]}, {"text": "I was not allowed to."})) as world:
        world.work()
        world.must("post", "first", "--attempts", "1")
        # The sandbox of codex refuses the file, not the command: the model sees it, and its last message is the answer.
        world.task_ends("done" if client.name == "codex" else "failed")
        expect(not world.file("outside.txt").exists(), "the file was written")
        if client.name != "codex":
            reason = world.value("SELECT json_extract(body, '$.reason') FROM log WHERE kind = 'attempt_ended'")
            expect("not allowed to use" in reason, f"reason: {reason}")
        spent_is_billed(world)


def stream(bidboard: Path, client: Client) -> None:
    """What the client says is shown while it works, as text."""
    with World(bidboard, client, steps({"text": "I look around first.", "calls": [{"write": "a.txt", "content": "a\n"}]},
                                       {"text": "Finished.", "after": "$FOLDER/go"})) as world:
        world.work()
        world.must("post", "first")
        world.eventually(lambda: "I look around first." in world.run("output", "t1").stdout, lambda: world.run("output", "t1").stdout)
        expect(world.value("SELECT state FROM tasks") == "running", "the task had ended by then")
        expect('{"type"' not in world.must("output", "t1"), "raw JSON is shown: " + world.must("output", "t1")[:300])
        world.file("go").touch()
        world.task_ends()
        expect("Finished." in world.must("output", "t1"), world.must("output", "t1"))


def done_inside(bidboard: Path, client: Client) -> None:
    """`bidboard done` from inside is accepted, the session ends by itself, and its price counts."""
    with World(bidboard, client, steps({"text": "Reporting.", "calls": [{"shell": "bidboard progress 0.5 half && bidboard done --result early"}]},
                                       {"text": "Goodbye."})) as world:
        world.work()
        world.must("post", "first")
        world.task_ends()
        expect(world.value("SELECT result, attempts FROM tasks") == "early|1", world.value("SELECT result, attempts FROM tasks"))
        world.becomes("SELECT count(*) FROM log WHERE kind = 'attempt_settled'", "1")
        spent_is_billed(world)


def fail_inside(bidboard: Path, client: Client) -> None:
    """`bidboard fail`, as the prompt says: the attempt has failed with that reason."""
    with World(bidboard, client, steps({"calls": [{"shell": 'bidboard fail --reason "no such file"'}]}, {"text": "I gave up."})) as world:
        world.work()
        world.must("post", "first", "--attempts", "1")
        world.task_ends("failed")
        reason = world.value("SELECT json_extract(body, '$.reason') FROM log WHERE kind = 'attempt_ended'")
        expect("no such file" in reason, f"reason: {reason}")


def kill(bidboard: Path, client: Client) -> None:
    """A cancelled task leaves no process of its session, not even what the session started in the background."""
    with World(bidboard, client, steps({"text": "Waiting.", "calls": [{"shell": "sleep 86391 & sleep 86392"}]},
                                       {"text": "never"})) as world:
        world.work(agent={"permission": EVERYTHING[client.name]} if client.name in EVERYTHING else {})
        world.must("post", "first")
        world.eventually(lambda: world.processes("sleep 86392"), lambda: "the command did not start")
        world.must("cancel", "t1")
        # The scripts and the server are not among them: no task is in their surroundings.
        world.eventually(lambda: not world.processes("BIDBOARD_TASK="), lambda: f"{len(world.processes('BIDBOARD_TASK='))} processes go on")
        expect(not world.processes("sleep 8639"), "a command of the session goes on")
        world.becomes("SELECT state FROM tasks", "cancelled")


def budget(bidboard: Path, client: Client) -> None:
    """A budget holds: claude stops by itself, and for the others the next task waits."""
    spending = {"calls": [{"write": "a.txt", "content": "a\n"}], "usage": {"input": 20_000, "output": 1000}}
    more = [{**spending, "calls": [{"write": f"{name}.txt", "content": "a\n"}]} for name in "bcdef"]
    with World(bidboard, client, steps(spending, *more, {"text": "All spent."})) as world:
        limits = {"account:team": {"tokens": 30_000}} if client.name != "claude" else {}
        world.work(settings={"budgets": limits} if limits else None)
        world.must("post", "first", "--attempts", "1", *(["--budget", "0.1"] if client.name == "claude" else []))
        world.task_ends("failed" if client.name == "claude" else "done")
        spent_is_billed(world)
        if client.name == "claude":
            reason = world.value("SELECT json_extract(body, '$.reason') FROM log WHERE kind = 'attempt_ended'")
            expect("max_budget" in reason or "budget" in reason, f"reason: {reason}")
            expect(world.billed("usd") < 0.3, f"{world.billed('usd')} USD were billed for a budget of 0.1")
        else:
            world.must("post", "second")
            asked = len(world.requests())
            world.eventually(lambda: "budget" in world.must("explain", "t2"), lambda: world.must("explain", "t2"))
            expect(world.value("SELECT state FROM tasks WHERE id = 't2'") == "ready", "the second task was awarded")
            expect(len(world.requests()) == asked, "the provider was asked once more")


def worktree(bidboard: Path, client: Client) -> None:
    """The client writes a file in a worktree; it is committed, and `bidboard merge` brings it to main."""
    with World(bidboard, client, steps({"text": "I write it.", "calls": [{"write": "hello.txt", "content": "hello\n"}]},
                                       {"text": "It is written."})) as world:
        world.work(settings={"merge": {"into": "main"}}, agent={"worktree": "task"})
        world.must("post", "Write hello.txt")
        world.task_ends()
        expect(world.git("show", "bidboard/t1:hello.txt").strip() == "hello", "the branch has no hello.txt")
        expect(not (world.project / "hello.txt").exists(), "the file was written to the project itself")
        world.must("merge", "--all")
        expect(world.git("show", "main:hello.txt").strip() == "hello", "main has no hello.txt")
        changed = world.git("diff", "--name-only", "main~1", "main").split() if world.git("rev-list", "--count", "main").strip() != "1" else []
        expect(changed == ["hello.txt"], f"main got {changed}")
        spent_is_billed(world)


def mcp_inside(bidboard: Path, client: Client) -> None:
    """The session of a task uses the board by tools: it reads, adds a task, leaves a note, and delivers its result."""
    calls = ({"mcp": "ready"}, {"mcp": "post", "input": {"title": "found by the session", "skills": ["nobody"]}},
             {"mcp": "done", "input": {"result": "by mcp"}})
    with World(bidboard, client, steps(*({"calls": [call]} for call in calls), {"text": "Delivered."})) as world:
        world.must("mcp", "install", client.name)
        world.work()
        world.must("post", "first")
        world.task_ends()
        expect(not world.problems(), str(world.problems()))
        expect(world.value("SELECT result FROM tasks WHERE id = 't1'") == "by mcp", world.value("SELECT result FROM tasks WHERE id = 't1'"))
        expect(world.value("SELECT count(*) FROM tasks WHERE title = 'found by the session'") == "1", "no task was added")


def mcp_outside(bidboard: Path, client: Client) -> None:
    """A session that a person began takes a task by tools, does it and delivers it: the client is an agent of its own."""
    calls = ({"mcp": "claim", "input": {"task": "t1"}}, {"mcp": "note", "input": {"text": "I am at it"}}, {"mcp": "done", "input": {"result": "taken"}})
    with World(bidboard, client, steps(*({"calls": [call]} for call in calls), {"text": "Delivered."})) as world:
        world.must("mcp", "install", client.name)
        world.must("post", "first")
        world.session("Take a task of the board.")
        expect(not world.problems(), str(world.problems()))
        expect(world.value("SELECT state, result FROM tasks") == "done|taken", world.value("SELECT state, result FROM tasks"))


# What lets a client run any command without asking, in its own words.
EVERYTHING = {"claude": "bypassPermissions", "gemini": "yolo"}
SITUATIONS = (basic, outage, overload, bad_key, credit, cut, denial, stream, done_inside, fail_inside, kill, budget, worktree, mcp_inside, mcp_outside)


# (client, situation) -> why it cannot be tried; listed in every run.
SILENT = "it tries again without end when a provider refuses (429, 503), obeys `retry-after`, and prints nothing meanwhile"
CANNOT = {("opencode", situation): SILENT for situation in ("outage", "overload", "credit")}


def why_not(client: Client, situation) -> str:
    return client.why_not() or CANNOT.get((client.name, situation.__name__), "")
