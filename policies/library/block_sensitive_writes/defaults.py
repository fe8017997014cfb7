"""What is protected where nothing else is set."""

from __future__ import annotations

_KEYS = (
    *("~/.ssh/**", "authorized_keys", "~/.gnupg/**", "~/.aws/**", "~/.azure/**", "~/.kube/**", "~/.config/gcloud/**"),
    *("~/.docker/config.json", "~/.netrc", "~/.npmrc", "~/.pypirc", "~/.config/pip/**", "~/.git-credentials"),
    *(".env", ".env.*", ".envrc"),
)
_START_UP = (
    *("~/.bash*", "~/.profile", "~/.z*", "~/.config/fish/**", "~/.inputrc", "~/.xprofile", "~/.xinitrc"),
    *("~/.config/autostart/**", "~/.config/systemd/**", "~/.local/share/systemd/**", "~/Library/LaunchAgents/**"),
    *("/Library/LaunchAgents/**", "/Library/LaunchDaemons/**"),
)
_SYSTEM = (
    *("/etc/**", "/boot/**", "/bin/**", "/sbin/**", "/usr/bin/**", "/usr/sbin/**", "/lib/**", "/usr/lib/**"),
    *("/run/systemd/**", "/var/spool/cron/**", "/var/spool/at/**", "/sys/**", "/proc/sys/**"),
)
_GIT = (
    *("~/.gitconfig", "~/.config/git/**", ".git/hooks/**", ".git/config", ".git/config.worktree", ".git/info/**"),
    *(".git/modules/**/hooks/**", ".git/modules/**/config", ".husky/**", ".githooks/**"),
)
_CI = (
    *(".github/workflows/**", ".github/actions/**", ".gitlab-ci.yml", ".circleci/**", ".buildkite/**", "Jenkinsfile"),
    *("azure-pipelines.yml", ".travis.yml", "bitbucket-pipelines.yml", ".drone.yml", ".woodpecker/**"),
)
_AGENTS = (
    *(".claude/settings*.json", ".claude/hooks/**", "~/.claude.json", ".mcp.json", "CLAUDE.md", "CLAUDE.local.md"),
    *("AGENTS.md", "AGENTS.override.md", "GEMINI.md", "~/.codex/**", ".codex/**", ".cursorrules", ".cursor/rules/**"),
    *(".cursor/mcp.json", ".windsurfrules", ".github/copilot-instructions.md", ".vscode/settings.json"),
    *(".vscode/tasks.json",),
)
PROTECTED = (*_KEYS, *_START_UP, *_SYSTEM, *_GIT, *_CI, *_AGENTS)
ALLOWED = (".env.example", ".env.sample", ".env.template")
EDIT_TOOLS = (
    *("*write*", "*edit*", "*patch*", "*str_replace*", "*create*file*", "*delete*file*", "*remove*file*"),
    *(
        "*move*file*",
        "*rename*",
        "*copy*file*",
        "*insert*",
        "*replace*",
        "*save*",
        "*append*",
        "*upload*",
        "*download*",
    ),
)
PATH_ARGUMENTS = (
    *("path", "paths", "file_path", "file_paths", "file", "files", "filename", "notebook_path", "target_file"),
    *("target", "relative_path", "absolute_path", "relative_workspace_path", "destination", "dest", "new_path"),
    *("old_path", "source", "src", "dst", "uri", "directory", "dir_path", "edits", "changes", "operations"),
)
