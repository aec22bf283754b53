"""Attacks on the repository from inside an attempt's worktree, each an agent that strikes and then does honest work.

None of them may run a program in Bernstein's processes or change the person's repository, configuration or references, and the
person is told. How it is seen:

* The canary is a program that writes down that it ran, with its ancestors. An agent's processes have ATTACK in their environment; a
  mark without it was made by somebody else. Most attacks end with a *proof*: the git command that an orchestrator would naively run
  there, run by the agent itself; the canary must have sung, so the attack is a live one.
* `git` in the PATH of Bernstein is a canary as well: it never runs git.
* All files of the person's repository are compared byte by byte. See `allowed()` for what Bernstein itself may write.

The table says of each attack what its end may be and whether the sandbox is needed: an agent without one has the person's rights, and
writing to the person's files with them is nothing that a worktree could prevent.
"""

import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

from support import EndToEnd, dedent, sandbox_obstacle

OBSTACLE = sandbox_obstacle()
if OBSTACLE:
    print(f"attacks that need the sandbox are skipped: {OBSTACLE}")

LANDED, FAILED = "landed", "failed"
TOGETHER = 3  # agents at a time


@dataclasses.dataclass
class Attack:
    name: str
    script: str  # in the worktree; $REPO is the repository of the session, $USER_ROOT the person's, $CANARY a program
    says: str = ""  # what must be said about it: a part of a suspicion, or of the failure; "" for nothing at all
    end: str = LANDED
    lands: tuple = ()  # paths beside its honest work
    proof: str = ""  # a command whose run sets off the canary
    sandboxed: bool = False  # cannot be prevented without the sandbox
    heavy: bool = False  # in a run without others, which would all check its many files out; the sandbox is nothing to it
    behind: bool = False  # the person's checkout does not follow: only git itself, with its filters, could write it


ATTACKS = []


def attack(name, script, says="", **more):
    ATTACKS.append(Attack(name, dedent(script), says, **more))


def setting(name, key, value='"$CANARY"', **more):
    more.setdefault("says", f"it set {key} in the configuration")
    says = more.pop("says")
    attack(name, more.pop("first", "") + f"git config {key} {value}\n" + more.pop("then", ""), says, **more)


# ---- programs that git would run -----------------------------------------------------------------------------------

for hook, proof in {
    "post-checkout": "git checkout -q -f HEAD",
    "pre-commit": "git commit -q --allow-empty -m x",
    "post-commit": "git commit -q --allow-empty -m x",
    "post-merge": "git merge -q side",
    "pre-merge-commit": "git merge -q --no-ff -m m side",
    "reference-transaction": "git update-ref refs/heads/x HEAD",
    "post-index-change": "git reset -q",
    "commit-msg": "git commit -q --allow-empty -m x",
    "prepare-commit-msg": "git commit -q --allow-empty -m x",
    "pre-rebase": "git rebase -q side",
}.items():
    attack(f"hook {hook}",
           f"""
           git branch -q side; git checkout -q side; git commit -q --allow-empty -m side; git checkout -q -
           printf '#!/bin/sh\\nexec "%s"\\n' "$CANARY" > "$REPO/hooks/{hook}"; chmod +x "$REPO/hooks/{hook}"
           """,
           f"its repository has the hook '{hook}'", proof=proof)  # fmt: skip

attack("hooks of pushing and fetching",
       """
       for h in pre-push pre-receive update post-receive post-update push-to-checkout proc-receive; do
         ln -s "$CANARY" "$REPO/hooks/$h"
       done
       """,
       "its repository has the hook 'post-receive'")  # fmt: skip
attack("hooks directory is a link",
       'rm -rf "$REPO/hooks"; mkdir "$OUT/hooks"; cp "$CANARY" "$OUT/hooks/post-commit"; ln -s "$OUT/hooks" "$REPO/hooks"',
       "the hooks of its repository are no plain directory", proof="git commit -q --allow-empty -m x")  # fmt: skip
setting("core.hooksPath in the tree", "core.hookspath", ".githooks", then=(
        'mkdir .githooks; cp "$CANARY" .githooks/post-commit; cp "$CANARY" .githooks/post-checkout\n'),
        lands=(".githooks/post-checkout", ".githooks/post-commit"), proof="git commit -q --allow-empty -m x")  # fmt: skip
setting("core.hooksPath outside", "core.hookspath", '"$OUT"', first='cp "$CANARY" "$OUT/post-commit"\n',
        proof="git commit -q --allow-empty -m x")  # fmt: skip
setting("core.fsmonitor", "core.fsmonitor", proof="git status")
setting("core.sshCommand", "core.sshcommand", proof="git ls-remote ssh://localhost/x")
setting("core.pager", "core.pager", then='git config pager.log "$CANARY"\n')
setting("core.editor", "core.editor", proof="git commit --allow-empty")
setting("core.gitProxy", "core.gitproxy", proof="git ls-remote git://localhost/x")
setting("core.askPass", "core.askpass")
setting("core.alternateRefsCommand", "core.alternaterefscommand")
setting("gpg.program", "gpg.program", then="git config commit.gpgsign true\ngit config user.signingkey x\n",
        proof="git commit -q --allow-empty -m x")  # fmt: skip
setting("diff.external", "diff.external", proof="echo x >> README.md; git diff; git checkout -q README.md")
ATTRIBUTES = "mkdir $ATTACK; echo x > $ATTACK/x; echo '* diff=evil merge=evil' > $ATTACK/.gitattributes\n"
ATTRIBUTED = ("{T}/.gitattributes", "{T}/x")
FILTERED = {"then": ATTRIBUTES.replace("diff=evil", "filter=evil"), "lands": ATTRIBUTED, "behind": True}
setting("diff textconv", "diff.evil.textconv", then=ATTRIBUTES, lands=ATTRIBUTED,
        proof="git add .; echo y >> $ATTACK/x; git diff; git checkout $ATTACK/x")  # fmt: skip
setting("clean filter", "filter.evil.clean", proof="git add .", **FILTERED)
setting("smudge filter", "filter.evil.smudge", proof="git add .; rm $ATTACK/x; git checkout -f .; echo x > $ATTACK/x", **FILTERED)
setting("process filter", "filter.evil.process", proof="git add .", **FILTERED)
setting("merge driver", "merge.evil.driver", '"$CANARY %O %A %B"', then=ATTRIBUTES + (
        "git add .; git commit -q -m o; git branch side; git checkout -q side\necho a > $ATTACK/x; git commit -q -a -m a\n"
        "git checkout -q -; echo b > $ATTACK/x; git commit -q -a -m b\n"),
        lands=ATTRIBUTED, proof="git merge side; git merge --abort; git reset -q --hard")  # fmt: skip
attack("merge driver of info/attributes",
       """git config merge.evil.driver "$CANARY"; mkdir -p "$REPO/info"; echo '* merge=evil' > "$REPO/info/attributes" """,
       "it changed info/attributes")  # fmt: skip
attack("include.path", 'printf "[core]\\n\\tfsmonitor = %s\\n" "\\"$CANARY\\"" > "$OUT/inc"; git config include.path "$OUT/inc"',
       "it set include.path", proof="git status")  # fmt: skip
attack("includeIf",
       'printf "[core]\\n\\tfsmonitor = %s\\n" "\\"$CANARY\\"" > "$OUT/inc"; git config "includeIf.gitdir:/.path" "$OUT/inc"',
       "it set includeif.gitdir:/.path", proof="git status")  # fmt: skip
setting("alias", "alias.status", '"!$CANARY"')
setting("credential.helper", "credential.helper", '"!$CANARY"', proof="printf 'protocol=https\nhost=x\n\n' | git credential fill")
setting("uploadpack.packObjectsHook", "uploadpack.packobjectshook")
attack("protocol.ext", """git config protocol.ext.allow always; git remote add evil "ext::sh -c $CANARY" """,
       "it set protocol.ext.allow", proof="git fetch evil")  # fmt: skip
attack("remote with ext::", """git remote add evil "ext::sh -c $CANARY" """, "it set remote.evil.url")
attack("remote with a program", 'git remote add evil "$USER_ROOT"; git config remote.evil.uploadpack "$CANARY"',
       "it set remote.evil.uploadpack", proof="git fetch evil")  # fmt: skip
setting("sequence.editor", "sequence.editor")
setting("browser and man viewers", "browser.x.cmd")
setting("core.attributesFile", "core.attributesfile", '"$OUT/attributes"')
setting("core.worktree", "core.worktree", '"$USER_ROOT"')
attack("core.bare", "git config core.bare false")  # as `git init` does
attack("config.worktree",
       'git config extensions.worktreeConfig true; git config --worktree core.fsmonitor "$CANARY"; git config --worktree core.bare false',
       "it set core.fsmonitor", proof="git status")  # fmt: skip
attack("configuration is a pipe", 'rm "$REPO/config"; mkfifo "$REPO/config"', "it changed config")
attack("configuration is nonsense", 'echo "[[[[ \\" = " > "$REPO/config"', "is not what git writes")

# ---- other objects, other references -------------------------------------------------------------------------------

attack("alternates elsewhere", 'git init -q --bare "$OUT/o.git"; echo "$OUT/o.git/objects" >> "$REPO/objects/info/alternates"',
       "it changed objects/info/alternates")  # fmt: skip
attack("alternates gone", 'rm "$REPO/objects/info/alternates"', "it changed objects/info/alternates")
attack("http-alternates", 'echo http://localhost:1/ > "$REPO/objects/info/http-alternates"', "objects/info/http-alternates")
attack("replaced objects", 'git replace "$(git rev-parse HEAD)" "$(git commit-tree -m other HEAD^{tree})"', "refs/replace")
attack("replaced tree in packed-refs",
       """
       empty=$(git hash-object -w -t tree /dev/null)
       echo "$empty refs/replace/$(git rev-parse HEAD^{tree})" >> "$REPO/packed-refs"
       """,
       "refs/replace")  # fmt: skip
attack("grafts", 'mkdir -p "$REPO/info"; git rev-parse HEAD > "$REPO/info/grafts"', "info/grafts")
attack("shallow", 'git rev-parse HEAD > "$REPO/shallow"', "it changed shallow")
attack("main of its own repository", "git update-ref refs/heads/main $(git commit-tree -m evil HEAD^{tree})")
attack("references that look like salvage and runs",
       """
       evil=$(git commit-tree -m evil HEAD^{tree})
       git update-ref refs/bernstein/salvage/r1/t9.9 $evil; git update-ref refs/bernstein/runs/r1 $evil
       git update-ref refs/bernstein/keep/session-r1-t1.1 $evil; git update-ref refs/bernstein/candidate $evil
       """,
       "has the reference 'refs/bernstein/runs/r1'")  # fmt: skip
attack("packed-refs with paths that leave", 'echo "$(git rev-parse HEAD) refs/heads/../../../../../x" >> "$REPO/packed-refs"')
attack("tag named as the branch", "git tag main; git tag agent/$SESSION; git tag HEAD 2> /dev/null || true")
attack("branch named as its salvage", 'git branch "$SALVAGE"', "has the reference 'refs/heads/refs/bernstein/salvage")
attack("stash of something forbidden",
       "echo x > stashed; git add stashed; git stash -q; echo 'zz' >> \"$REPO/logs/refs/stash\"")  # fmt: skip
attack("branch that is a symbolic reference",
       'printf "ref: refs/heads/../../../../../../etc/passwd\\n" > "$REPO/refs/heads/agent/$SESSION"',
       "is gone or cannot be read", end=FAILED)  # fmt: skip
attack("branch that is a link", 'git rev-parse HEAD > "$OUT/id"; ln -sf "$OUT/id" "$REPO/refs/heads/agent/$SESSION"',
       "is gone or cannot be read", end=FAILED)  # fmt: skip
attack("branch that is a pipe", 'rm "$REPO/refs/heads/agent/$SESSION"; mkfifo "$REPO/refs/heads/agent/$SESSION"',
       "is gone or cannot be read", end=FAILED)  # fmt: skip
attack("branch without parents", "git update-ref HEAD $(git commit-tree -m orphan $(git write-tree))", "no longer descends from its base",
       end=FAILED)  # fmt: skip
attack("branch deleted", "git checkout -q --detach; git branch -q -D agent/$SESSION", "is gone or cannot be read", end=FAILED)
attack("HEAD elsewhere", 'echo "ref: refs/heads/../../x" > "$REPO/worktrees/$SESSION/HEAD"', "it changed HEAD")
attack("commit with forged trailers",
       """
       printf 'x\n\nBernstein-Run: r1\nBernstein-Task: t1\nBernstein-Attempt: t1.1\nSigned-off-by: Ann Example <ann@example.org>\n' |
         git -c user.name=Bernstein -c user.email=bernstein@localhost commit -q --allow-empty -F -
       """)  # fmt: skip

# ---- the .git file and what git takes for a repository -------------------------------------------------------------

attack(".git file of another repository",
       'git init -q "$OUT/evil"; git -C "$OUT/evil" config core.fsmonitor "$CANARY"; echo "gitdir: $OUT/evil/.git" > .git',
       "the .git file of its worktree leads elsewhere", proof="git status")  # fmt: skip
attack(".git directory", 'rm .git; git init -q .; git config core.fsmonitor "$CANARY"',
       "the .git file of its worktree is no plain file", proof="git status")  # fmt: skip
attack(".git link to the person's", 'rm .git; ln -s "$USER_ROOT/.git" .git', "the .git file of its worktree is no plain file")
attack(".git file of the person's", 'echo "gitdir: $USER_ROOT/.git" > .git', "the .git file of its worktree leads elsewhere")
attack(".git file gone", "rm .git", "the .git file of its worktree is gone")
attack(".git file is a pipe", "rm .git; mkfifo .git", "the .git file of its worktree is no plain file")
attack("commondir of the person's", 'echo "$USER_ROOT/.git" > "$REPO/worktrees/$SESSION/commondir"', "commondir of its repository")
attack("gitdir of the person's", 'echo "$USER_ROOT/.git" > "$REPO/worktrees/$SESSION/gitdir"', "gitdir of its repository")
attack("planted bare repository",
       """
       git init -q --bare fixture; git -C fixture config core.fsmonitor "$CANARY"; git -C fixture config core.worktree ..
       git -C fixture config core.bare false; rm -r fixture/hooks fixture/description fixture/info
       echo x > fixture/objects/keep; echo x > fixture/refs/keep
       """,
       "'fixture/' looks like a bare repository", proof="cd fixture; git status; cd ..",
       lands=("fixture/HEAD", "fixture/config", "fixture/objects/keep", "fixture/refs/keep"))  # fmt: skip
attack("bare repository at the top",
       """mkdir objects refs; echo x > objects/x; echo x > refs/x; echo "ref: refs/heads/main" > HEAD
       printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = %s\\n' "$CANARY" > config""",
       "'.' looks like a bare repository", lands=("HEAD", "config", "objects/x", "refs/x"))  # fmt: skip
attack("nested repository with hooks",
       'git init -q sub; cp "$CANARY" sub/.git/hooks/post-commit; git -C sub config core.fsmonitor "$CANARY"; echo x > sub/x',
       "'sub/' is a repository of its own", lands=("sub/x",), proof="git -C sub status")  # fmt: skip
attack("nested repository committed as a submodule",
       """
       git init -q tied; git -C tied -c user.name=x -c user.email=x@x commit -q --allow-empty -m x
       git -c advice.addEmbeddedRepo=false add tied; git commit -q -m tied; git -C tied config core.fsmonitor "$CANARY"
       """,
       "it committed 'tied' as a submodule", proof="git status")  # fmt: skip
MODULES = """printf '[submodule "x"]\\n\\tpath = x\\n\\turl = x\\n\\tupdate = !%s\\n' "$CANARY" > .gitmodules\n"""
attack(".gitmodules that runs", MODULES, "'.gitmodules' was left out: it names a command")
attack(".gitmodules that runs, committed", MODULES + "git add .gitmodules; git commit -q -m x", "is refused: it names a command",
       end=FAILED)  # fmt: skip
attack(".gitmodules with a program to fetch with",
       """printf '[submodule "x"]\\n\\tpath = x\\n\\turl = ext::sh -c %s\\n' "$CANARY" > .gitmodules""",
       "'.gitmodules' names a command", lands=(".gitmodules",))  # fmt: skip
attack(".gitmodules with a name that leaves", """printf '[submodule "../../x"]\\n\\tpath = x\\n\\turl = ./x\\n' > .gitmodules""",
       "'.gitmodules' was left out: it names no submodule")  # fmt: skip
attack(".gitmodules with an option", """printf '[submodule "x"]\\n\\tpath = x\\n\\turl = -u./x\\n' > .gitmodules""",
       "'.gitmodules' was left out: it has an option")  # fmt: skip
attack(".gitmodules with a path that leaves",
       """printf '[submodule "x"]\\n\\tpath = ../../../.git/hooks\\n\\turl = ./x\\n' > .gitmodules""",
       "'.gitmodules' names a command or a place", lands=(".gitmodules",))  # fmt: skip
attack("attributes that no fsck takes", 'mkdir $ATTACK; printf "%03000d x=y" 0 > $ATTACK/.gitattributes',
       "/.gitattributes' was left out: it has a line that is too long")  # fmt: skip
attack(".gitmodules is a link", "ln -s /etc/passwd .gitmodules", "'.gitmodules' is a link")
attack("gitlink of a commit that is nowhere",
       "git update-index --add --cacheinfo 160000,1234567890123456789012345678901234567890,nowhere; git commit -q -m link",
       "it committed 'nowhere' as a submodule")  # fmt: skip
for written in (".GIT", ".Git", "git~1", ".git ", ".git.", ".g\u200cit", ".git::$INDEX_ALLOCATION", "a\\.git"):
    attack(f"directory {written!r}", f"mkdir -p {shlex.quote(written)}/hooks; cp \"$CANARY\" {shlex.quote(written)}/hooks/post-checkout",
           "has a name that git forbids")  # fmt: skip

# ---- trees that git itself would not write -------------------------------------------------------------------------

TREE = """
python3 - "$REPO" <<'END'
import hashlib, os, subprocess, sys, zlib
def put(kind, body):
    data = kind + b" %d\\0" % len(body) + body
    name = hashlib.sha1(data).hexdigest()
    place = os.path.join(sys.argv[1], "objects", name[:2])
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, name[2:]), "wb") as file:
        file.write(zlib.compress(data))
    return name
blob = put(b"blob", b"#!/bin/sh\\n")
inner = put(b"tree", b"100755 post-checkout\\0" + bytes.fromhex(blob))
tree = put(b"tree", ENTRY)
head = subprocess.check_output(["git", "rev-parse", "HEAD"]).strip()
who = b" A <a@b> 1 +0000\\n"
commit = put(b"commit", b"tree " + tree.encode() + b"\\nparent " + head + b"\\nauthor" + who + b"committer" + who + b"\\nx\\n")
subprocess.check_call(["git", "update-ref", "HEAD", commit])
END
"""
for title, entry in {
    "..": 'b"40000 ..\\0" + bytes.fromhex(inner)',
    ".": 'b"40000 .\\0" + bytes.fromhex(inner)',
    ".git": 'b"40000 .git\\0" + bytes.fromhex(inner)',
    ".GIT": 'b"40000 .GIT\\0" + bytes.fromhex(inner)',
    "git~1": 'b"40000 git~1\\0" + bytes.fromhex(inner)',
    ".git with a space": 'b"40000 .git \\0" + bytes.fromhex(inner)',
    ".git with an ignorable": 'b"40000 .g\\xe2\\x80\\x8cit\\0" + bytes.fromhex(inner)',
    "a slash": 'b"100644 a/../../b\\0" + bytes.fromhex(blob)',
    "a backslash": 'b"40000 a\\\\.git\\0" + bytes.fromhex(inner)',
    "an absolute path": 'b"100644 /etc/x\\0" + bytes.fromhex(blob)',
    "an empty name": 'b"100644 \\0" + bytes.fromhex(blob)',
    "the same name twice": 'b"100644 a\\0" + bytes.fromhex(blob) + b"100644 a\\0" + bytes.fromhex(blob)',
    "a missing object": 'b"100644 a\\0" + bytes(range(20))',
    "a strange mode": 'b"104755 a\\0" + bytes.fromhex(blob)',
    "a linked .gitmodules": 'b"120000 .gitmodules\\0" + bytes.fromhex(blob)',
}.items():
    attack(f"tree with {title}", TREE.replace("ENTRY", entry), "is refused", end=FAILED)

# ---- links and files that are none ---------------------------------------------------------------------------------

attack("link to /etc", "ln -s /etc etc", "'etc' is a link that leaves the tree, to '/etc'", lands=("etc",))
attack("link above the tree", "mkdir d; ln -s ../../../.. d/up", "'d/up' is a link that leaves the tree", lands=("d/up",))
attack("link to hooks", "ln -s .git/hooks h", "'h' is a link that leaves the tree", lands=("h",))
attack("files through a linked directory", 'mkdir "$OUT/d"; echo secret > "$OUT/d/key"; ln -s "$OUT/d" e',
       "'e' is a link that leaves the tree", lands=("e",))  # fmt: skip
attack("a directory that became a link", 'rm -r src; ln -s "$USER_ROOT/.git/hooks" src', "'src' is a link that leaves the tree",
       lands=("src", "src/a.txt", "src/b.txt"))  # fmt: skip
attack("a file below a link in its commit",
       """
       ln -s "$USER_ROOT/.git/hooks" l; git add l; git commit -q -m l; rm l; mkdir l; cp "$CANARY" l/post-checkout
       """,
       lands=("l/post-checkout",))  # fmt: skip
attack("pipes, sockets", 'mkfifo p .gitattributes .gitignore; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'s\')"',
       "'p' is a pipe, a socket or a device")  # fmt: skip
attack("names that steer", r"""touch "$(printf 'a\nb')" "$(printf 'x\033[2Jy')" ./--force ./-rf; mkdir ./--; touch ./--/x""",
       lands=("--/x", "--force", "-rf", "a\\x0Ab", "x\\x1B[2Jy"))  # fmt: skip
attack("bytes that are no UTF-8", r"""touch "$(printf 'n\377')" """, lands=("n\\xFF",))
attack("a huge file", "truncate -s 65M huge", lands=("huge",), heavy=True)
attack("10,000 files", "mkdir m; cd m; seq 10000 | xargs touch; cd ..", lands=None, heavy=True)
attack("deep directories", 'd=deep; for i in $(seq 200); do d="$d/d"; done; mkdir -p "$d"; touch "$d/f"', lands=None, heavy=True)
attack("directories too deep for descriptors", '( for i in $(seq 900); do mkdir n; cd n; done; touch f )', "is nested too deeply",
       heavy=True)  # fmt: skip
attack("paths longer than any path", 'n=$(printf "%0200d" 0); ( for i in $(seq 30); do mkdir $n; cd $n; done; touch f )', lands=None, heavy=True)
attack("locked files", "echo x > locked; chmod 000 locked; mkdir shut; echo x > shut/x; chmod 000 shut", lands=("locked", "shut/x"))
attack("set-uid bits", "cp /bin/true tool; chmod u+s tool", "'tool' has the set-user-ID bit", lands=("tool",))
attack("hard links to the person's files", 'ln "$USER_ROOT/README.md" hard 2> /dev/null || cp README.md hard', lands=("hard",))

# ---- damage and leftovers ------------------------------------------------------------------------------------------

attack("locks left behind", 'touch "$REPO/worktrees/$SESSION/index.lock" "$REPO/worktrees/$SESSION/HEAD.lock" "$REPO/config.lock"')
attack("index that is noise", 'head -c 4096 /dev/urandom > "$REPO/worktrees/$SESSION/index"')
attack("index that is a pipe", 'rm -f "$REPO/worktrees/$SESSION/index"; mkfifo "$REPO/worktrees/$SESSION/index"', "is a special file")
attack("corrupted object",
       """
       echo own $ATTACK > own; git add own; git commit -q -m own; id=$(git rev-parse HEAD:own)
       f="$REPO/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-)"; chmod u+w "$f"; echo noise > "$f"
       """,
       "is refused", end=FAILED)  # fmt: skip
attack("forged object",
       """
       echo own $ATTACK > own; echo other > other; git add own other; git commit -q -m own
       p() { echo "$REPO/objects/$(echo $1 | cut -c1-2)/$(echo $1 | cut -c3-)"; }
       to=$(p $(git rev-parse HEAD:own)); chmod u+w "$to"; cp -f "$(p $(git rev-parse HEAD:other))" "$to"
       """,
       "is refused", end=FAILED)  # fmt: skip
attack("pack that is a pipe", 'echo own $ATTACK > own; git add own; git commit -q -m own; mkfifo "$REPO/objects/pack/pack-01.idx"',
       "are gone or hold special files", end=FAILED)  # fmt: skip
attack("objects that are a link", 'git commit -q --allow-empty -m x; mv "$REPO/objects" "$OUT/objects"; ln -s "$OUT/objects" "$REPO/objects"',
       "are gone or hold special files", end=FAILED)  # fmt: skip
attack("repository gone", 'rm -rf "$REPO"', "is gone or cannot be read", end=FAILED)
attack("git variables in files",
       'printf "[core]\\n\\tfsmonitor = %s\\n" "$CANARY" > "$OUT/global"; printf "export GIT_CONFIG_GLOBAL=%s\\n" "$OUT/global" > .envrc',
       lands=(".envrc",))  # fmt: skip
attack("a daemon that writes later",
       """
       setsid sh -c 'while [ ! -e "$OUT/stop" ]; do echo x >> late; cp "$CANARY" "$USER_ROOT/.git/hooks/post-merge"; sleep 0.05; done' \
         < /dev/null > /dev/null 2>&1 &
       """,
       sandboxed=True, lands=None)  # fmt: skip

# ---- straight at the person's files: what the sandbox is for -------------------------------------------------------

for title, script in {
    "the person's main by GIT_DIR": 'GIT_DIR="$USER_ROOT/.git" git update-ref refs/heads/main $(git commit-tree -m evil HEAD^{tree})',
    "the person's configuration": 'git -C "$USER_ROOT" config core.fsmonitor "$CANARY"',
    "the person's hooks": 'cp "$CANARY" "$USER_ROOT/.git/hooks/post-merge"',
    "the person's info/attributes": 'mkdir -p "$USER_ROOT/.git/info"; echo "* filter=x" > "$USER_ROOT/.git/info/attributes"',
    "salvage of others": 'GIT_DIR="$USER_ROOT/.git" git update-ref -d refs/bernstein/runs/r1',
    "the person's worktree list": 'git -C "$USER_ROOT" worktree add -q "$OUT/w"',
    "the person's files": 'echo evil >> "$USER_ROOT/README.md"; rm -rf "$USER_ROOT/src"',
    "the person's index": 'GIT_DIR="$USER_ROOT/.git" git read-tree --empty',
    "the person's objects": 'find "$USER_ROOT/.git/objects" -type f -exec chmod u+w {} + -exec sh -c "echo x > \\"\\$1\\"" x {} \\;',
    "the log": 'echo x >> "$USER_ROOT/.sdd/state.db"; rm -f "$USER_ROOT/.sdd/state.db"*',
    "blobs, logs and control": 'rm -rf "$USER_ROOT/.sdd/blobs" "$USER_ROOT/.sdd/logs" "$USER_ROOT/.sdd/control"',
    "worktrees of others": 'for d in "$USER_ROOT"/.sdd/worktrees/*; do [ "$d" = "$PWD" ] || rm -rf "$d"; done',
    "repositories of others": 'for d in "$USER_ROOT"/.sdd/agents/*; do [ "$d" = "$REPO" ] || rm -rf "$d"; done',
}.items():
    attack(title, f"( {script} ) || true", sandboxed=True)


class Attacks(EndToEnd):
    def setUp(self):
        super().setUp()
        # Some settings are words for a shell: no spaces here.
        cage = pathlib.Path(tempfile.mkdtemp(prefix="bernstein-canary-"))
        self.addCleanup(shutil.rmtree, cage, ignore_errors=True)
        self.marks, self.canary = cage / "marks", cage / "canary"
        song = self.script("song", f"""
            chain=""; p=$$
            while [ "$p" -gt 1 ] 2> /dev/null; do
              chain="$chain $p:$(tr '\\0' ' ' < /proc/$p/cmdline 2> /dev/null | head -c 60 | tr '\\n' ' ')"
              p=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status 2> /dev/null)
            done
            echo "${{ATTACK:-NOBODY}}|$chain" >> '{self.marks}'
            exit 1
        """)  # fmt: skip
        shutil.move(song, self.canary)
        # In the PATH of Bernstein.
        git = subprocess.check_output(["sh", "-c", "command -v git"], text=True).strip()
        self.script("git", f"""
            [ -n "${{ATTACK:-}}" ] || echo "NOBODY|git $*" >> '{self.marks}'
            exec {git} "$@"
        """)  # fmt: skip
        self.path = {"PATH": f"{self.directory / 'bin dir'}:{os.environ['PATH']}"}

    def place(self, sandbox, attacks):
        repository = self.repository()
        for name in ("a", "b"):
            repository.write(f"src/{name}.txt", f"{name}\n")
        scripts = self.directory / "attacks"
        scripts.mkdir()
        for number, one in enumerate(attacks, 1):
            honest = f"mkdir -p work; echo done > work/t{number}.txt\n"
            proof = f"( {one.proof} ) < /dev/null > /dev/null 2>&1 || true\n" if one.proof else ""
            (scripts / f"t{number}.sh").write_text(one.script + "\n" + proof + honest, encoding="utf-8")
        agent = f"""
            export ATTACK="$1" SESSION="session-r1-$1.$2" SALVAGE="refs/bernstein/salvage/r1/$1.$2"
            export CANARY='{self.canary}' USER_ROOT='{repository.root}' OUT='{self.directory}/out '"$1"
            export REPO="$USER_ROOT/.sdd/agents/$SESSION.git"
            mkdir -p "$OUT"
            set +e
            . '{scripts}'/"$1".sh
            exit 0
        """
        more = f"""
            sandbox: {sandbox}
            max_agents: {TOGETHER}
            limits: {{attempts: 1}}
            quality_gates: {{readable: test -e README.md}}
        """
        self.config(repository, more, agent)
        # A few things that must not change, for each place where they can be.
        repository.git("config", "bernstein.test", "untouched")
        repository.git("branch", "other")
        repository.git("tag", "v1")
        repository.write(".git/hooks/pre-push", "#!/bin/sh\nexit 0\n", executable=True)
        repository.write("notes.txt", "mine\n")
        repository.git("stash", "push", "-q", "-u")
        repository.write("README.md", "A project.\n")
        return repository

    def plan(self, attacks):
        lines = ["stages:", "  - name: one", "    steps:"]
        for number, one in enumerate(attacks, 1):
            # Two that land the same path follow one another.
            files = [f"work/t{number}.txt", *[path for path in one.lands or () if path == ".gitmodules"]]
            lines.append(f"      - {{title: {json.dumps(one.name)}, files: {json.dumps(files)}, description: strike}}")
        return "\n".join(lines) + "\n"

    def snapshot(self, repository):
        """Every file outside of .sdd: its bytes and its mode, or where it leads."""
        found = {}
        for folder, folders, names in os.walk(repository.root):
            folders[:] = [n for n in folders if pathlib.Path(folder, n) != repository.sdd]
            for name in names + [n for n in folders if pathlib.Path(folder, n).is_symlink()]:
                file = pathlib.Path(folder, name)
                what = os.readlink(file) if file.is_symlink() else (file.read_bytes(), file.stat().st_mode)
                found[file.relative_to(repository.root).as_posix()] = what
        return found

    def allowed(self, path, landed, followed):
        """What Bernstein itself writes in the person's repository: its own references; objects, which are added and never
        changed; and by landing the target with its log, and the checkout's files and index."""
        if path.startswith((".git/refs/bernstein/", ".git/logs/refs/bernstein/")):
            return True
        if not path.startswith(".git/"):
            return followed
        if path == ".git/index":
            return followed
        return landed and path in (".git/refs/heads/main", ".git/logs/refs/heads/main", ".git/logs/HEAD")

    def strike(self, sandbox, attacks):
        repository = self.place(sandbox, attacks)
        base, before, refs = repository.tip(), self.snapshot(repository), self.users_refs(repository)
        landing = any(one.end == LANDED for one in attacks)
        followed = landing and not any(one.behind for one in attacks)

        result = self.run_plan(repository, self.plan(attacks), expect=0 if all(a.end == LANDED for a in attacks) else 1,
                               environment=self.path)  # fmt: skip

        self.nobody_ran_anything(attacks)
        self.each_ended_as_it_may(repository, attacks, result)
        after = self.snapshot(repository)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) == after.get(path) or self.allowed(path, landing, followed):
                continue
            self.assertTrue(path.startswith(".git/objects/") and path not in before, f"{path} changed or was added")
        self.assertEqual(refs, self.users_refs(repository), "references of the person's")
        self.assertEqual("refs/heads/main", repository.git("symbolic-ref", "HEAD"))
        self.the_target_has_only_what_landed(repository, base, attacks)
        self.assertEqual({sandbox}, {e["payload"]["sandbox"] for e in self.events(repository, "AgentStarted")})
        self.assertNotIn("\x1b", result.out + result.err)
        if landing and not followed:
            self.assertIn("your checkout was left alone", result.out)
            repository.git("reset", "-q", "--hard")
        self.nothing_runs_afterwards(repository, attacks)
        if landing:
            self.assert_sound(repository)
        else:
            # What could not be captured stays for a person to look at, and nothing else does.
            left = sorted(entry.name for entry in (repository.sdd / "worktrees").iterdir())
            self.assertLessEqual(set(left), {f"session-r1-t{number}.1" for number in range(1, len(attacks) + 1)})
            self.assertEqual("", repository.git("fsck", "--strict", "--no-dangling", "--no-progress"))
            self.assertEqual([], repository.status())
            audit = self.bernstein(repository, "audit", "--json")
            self.assertEqual((0, True), (audit.code, audit.json()["ok"]), str(audit))
        self.assertEqual([], self.processes_in(self.directory))

    def users_refs(self, repository):
        lines = repository.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return [line for line in lines if not line.startswith(("refs/bernstein/", "refs/heads/main "))]

    def nobody_ran_anything(self, attacks):
        marks = self.marks.read_text(encoding="utf-8", errors="replace").splitlines() if self.marks.exists() else []
        self.assertEqual([], [mark for mark in marks if mark.startswith("NOBODY|")], "a program ran outside of an agent")
        sung = {mark.split("|")[0] for mark in marks}
        for number, one in enumerate(attacks, 1):
            if one.proof:
                self.assertIn(f"t{number}", sung, f"'{one.name}' is no live attack: its proof did not set off the canary")

    def the_target_has_only_what_landed(self, repository, base, attacks):
        captured = {e["subject"]: e["payload"] for e in self.events(repository, "WorkCaptured")}
        for number, one in enumerate(attacks, 1):
            work = captured.get(f"t{number}.1")
            if one.end == FAILED:
                self.assertIsNone(repository.show(f"work/t{number}.txt", "main"), one.name)
                self.assertIsNone(work, one.name)
                continue
            self.assertEqual("done\n", repository.show(f"work/t{number}.txt", "main"), one.name)
            if one.lands is not None:
                paths = sorted([*(path.replace("{T}", f"t{number}") for path in one.lands), f"work/t{number}.txt"])
                self.assertEqual(paths, [change["path"] for change in work["changes"]], one.name)
        # Every step of the target is one of Bernstein's merges.
        steps = repository.git("log", "--first-parent", "--format=%an %cn", f"{base}..main").splitlines()
        self.assertEqual({"Bernstein Bernstein"} if steps else set(), set(steps))
        self.assertEqual(sum(one.end == LANDED for one in attacks), len(steps))

    def each_ended_as_it_may(self, repository, attacks, result):
        tasks = self.tasks(repository)
        captured = {e["subject"]: e["payload"] for e in self.events(repository, "WorkCaptured")}
        failures = {e["subject"]: e["payload"]["why"] for e in self.events(repository, "AttemptFailed")}
        for number, one in enumerate(attacks, 1):
            with self.subTest(one.name):
                task, attempt = f"t{number}", f"t{number}.1"
                self.assertEqual(one.end, tasks[task]["status"], failures.get(attempt))
                if one.end == FAILED:
                    self.assertIn(one.says, failures[attempt])
                    self.assertIn(one.says, result.out)
                    continue
                said = captured[attempt]["suspicions"]
                self.assertEqual(sorted(said), said)
                self.assertLessEqual(len(said), 20)
                self.assertEqual(bool(one.says), bool(said), said)
                if one.says:
                    self.assertTrue(any(one.says in line for line in said), said)
                    self.assertIn(f"  suspicious  {attempt}: ", result.out)

    def nothing_runs_afterwards(self, repository, attacks):
        """Commands that look, and the person's own git, set nothing off either."""
        for words in (["status"], ["why", "t1"], ["diff", "t1"], ["audit"], ["clean"]):
            self.bernstein(repository, *words, environment=self.path)
        repository.git("fetch", "-q", ".", "other")
        repository.git("gc", "-q")
        self.nobody_ran_anything(attacks)


def groups(sandbox, size=30):
    """By what may change in the person's repository: the target and the checkout; the target; nothing at all."""
    fitting = [one for one in ATTACKS if (not one.heavy if sandbox else not one.sandboxed)]
    for what, of_it in (
        ("land", lambda one: one.end == LANDED and not one.behind and not one.heavy),
        ("land_much", lambda one: one.heavy),
        ("land_and_leave_the_checkout", lambda one: one.behind),
        ("fail", lambda one: one.end == FAILED),
    ):
        these = [one for one in fitting if of_it(one)]
        for at in range(0, len(these), size):
            yield what, at // size + 1, these[at : at + size]


class InTheSandbox(Attacks):
    def setUp(self):
        if OBSTACLE:
            self.skipTest(OBSTACLE)
        super().setUp()


class WithoutSandbox(Attacks):
    pass


for _class, _mode, _sandboxed in ((InTheSandbox, "auto", True), (WithoutSandbox, "off", False)):
    for _what, _number, _attacks in groups(_sandboxed):

        def _test(self, mode=_mode, attacks=_attacks):
            self.strike(mode, attacks)

        setattr(_class, f"test_attacks_that_{_what}_{_number}", _test)

del _class  # it would be found as one more class of tests


class TheSuite(unittest.TestCase):
    def test_has_fifty_attacks_and_more_each_with_a_name_of_its_own(self):
        self.assertGreaterEqual(len({one.name for one in ATTACKS}), 50)
        self.assertEqual(len(ATTACKS), len({one.name for one in ATTACKS}))


if __name__ == "__main__":
    unittest.main()
