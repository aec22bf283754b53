#include "setup_template.hpp"

#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "bernstein/base/path.hpp"
#include "bernstein/base/sha256.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "bernstein/git/workspace.hpp"
#include "files.hpp"
#include "session_repository.hpp"
#include "stat_cache.hpp"

namespace bernstein::git {
namespace {

constexpr int k_depth_max = 200;
constexpr std::int64_t k_list_bytes_max = 256 << 20;
constexpr std::int64_t k_searched_bytes_max = 64 << 10;
constexpr ::timespec k_clock_step{0, 20'000'000};  // longer than the clock of a file system stands still
const std::string k_of_repository = "//";          // before a path in the session's repository

// By their names, at any depth.
constexpr std::array k_lock_files{"package.json",
                                  "package-lock.json",
                                  "npm-shrinkwrap.json",
                                  "yarn.lock",
                                  "pnpm-lock.yaml",
                                  "bun.lock",
                                  "bun.lockb",
                                  "Cargo.lock",
                                  "Cargo.toml",
                                  "pyproject.toml",
                                  "poetry.lock",
                                  "uv.lock",
                                  "Pipfile",
                                  "Pipfile.lock",
                                  "requirements*.txt",
                                  "go.mod",
                                  "go.sum",
                                  "Gemfile",
                                  "Gemfile.lock",
                                  "composer.json",
                                  "composer.lock",
                                  "mix.exs",
                                  "mix.lock",
                                  "packages.lock.json"};

using Stats = std::map<std::string, struct ::stat>;
using Lines = std::map<std::string, std::string>;  // path → how it stands

// Everything below a directory. False when it cannot all be looked at.
bool walk(const Fd& directory, const std::string& prefix, int depth, std::size_t files_max, Stats& found) {
  const auto entries = list_directory(directory.get());
  if (!entries || depth > k_depth_max) return false;
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = prefix + entry.name;
    if (path == ".git") continue;  // of the worktree
    found.emplace(path, entry.stat);
    if (found.size() > files_max) return false;
    if (!S_ISDIR(entry.stat.st_mode)) continue;
    const Fd below = open_directory_at(directory.get(), entry.name.c_str());
    if (!below || !walk(below, path + "/", depth + 1, files_max, found)) return false;
  }
  return true;
}

// All that tells a file that was changed. A directory changes with what is in it.
std::string line_of(const struct ::stat& stat) {
  if (S_ISDIR(stat.st_mode)) return "directory " + std::to_string(stat.st_mode);
  std::string text = std::to_string(stat.st_mode);
  for (const std::int64_t number :
       {static_cast<std::int64_t>(stat.st_dev), static_cast<std::int64_t>(stat.st_ino),
        static_cast<std::int64_t>(stat.st_nlink), static_cast<std::int64_t>(stat.st_uid),
        static_cast<std::int64_t>(stat.st_size), static_cast<std::int64_t>(stat.st_mtim.tv_sec),
        static_cast<std::int64_t>(stat.st_mtim.tv_nsec), static_cast<std::int64_t>(stat.st_ctim.tv_sec),
        static_cast<std::int64_t>(stat.st_ctim.tv_nsec)}) {
    text += ' ' + std::to_string(number);
  }
  return text;
}

// A head, then "path NUL line NUL" for each.
Status write_lines(const std::string& path, const std::string& head, const Lines& lines) {
  std::string text = head + '\0';
  for (const auto& [name, line] : lines) text += name + '\0' + line + '\0';
  BERNSTEIN_TRY_VOID(write_file(path + ".new", text));
  if (::rename((path + ".new").c_str(), path.c_str()) != 0) return file_fault("cannot write", path);
  return Ok{};
}

struct Listed {
  std::string head;
  Lines lines;
};
std::optional<Listed> read_lines(const std::string& path) {
  const auto text = read_plain(path, k_list_bytes_max);
  if (!text) return {};
  const std::vector<std::string_view> parts = split(*text, '\0');
  if (parts.size() % 2 != 0 || parts.empty() || !parts.back().empty()) return {};
  Listed listed{.head = std::string(parts.front()), .lines = {}};
  for (std::size_t i = 1; i + 1 < parts.size(); i += 2) listed.lines.emplace(parts[i], parts[i + 1]);
  return listed;
}

bool tree_has(const Files& files, const std::string& path) {
  if (files.contains(path)) return true;
  const auto below = files.lower_bound(path + "/");
  return below != files.end() && below->first.starts_with(path + "/");
}

bool lies_below_a_file(const Files& files, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (files.contains(path.substr(0, slash))) return true;
  }
  return false;
}

bool is_input(const port::SetupSpec& spec, const std::string& path) {
  if (spec.inputs) {
    return std::any_of(spec.inputs->begin(), spec.inputs->end(),
                       [&](const std::string& pattern) { return matches(pattern, path); });
  }
  const std::string name = path.substr(path.rfind('/') + 1);
  return std::any_of(k_lock_files.begin(), k_lock_files.end(),
                     [&](const char* pattern) { return matches(pattern, name); });
}

// The paths that are not below another one of them.
std::vector<std::string> roots_of(const Lines& lines) {
  std::vector<std::string> roots;
  for (const auto& [path, line] : lines) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || !lines.contains(path.substr(0, slash))) roots.push_back(path);
  }
  return roots;
}

// What a template of another start of the machine says of files need not have reached the disk.
std::string this_boot() {
  const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t count = file ? ::read(file.get(), text.data(), text.size()) : 0;
  return "1 " + std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
}

bool copy_bytes(const Fd& from, const Fd& to) {
  if (::ioctl(to.get(), FICLONE, from.get()) == 0) return true;
  constexpr std::size_t k_piece = 1 << 20;
  bool by_kernel = true;
  std::string buffer;
  for (;;) {
    if (by_kernel) {
      const ssize_t count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, k_piece, 0);
      if (count == 0) return true;
      if (count > 0) continue;
      by_kernel = false;  // both offsets stand behind what was copied
    }
    buffer.resize(k_piece);
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    for (ssize_t done = 0; done < count;) {
      const ssize_t written =
          ::write(to.get(), buffer.data() + done, static_cast<std::size_t>(count) - static_cast<std::size_t>(done));
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) done += written;
    }
  }
}

bool set_times(int parent, const char* name, const struct ::stat& as) {
  const std::array<::timespec, 2> times{as.st_mtim, as.st_mtim};
  return ::utimensat(parent, name, times.data(), AT_SYMLINK_NOFOLLOW) == 0;
}

// Copies one file or link that stands as the line says, before and after. Directories are made open to us.
bool copy_entry(const Fd& from_root, const Fd& to_root, const std::string& path, const std::string& line) {
  const auto from = find_place(from_root, path);
  const auto to = find_place(to_root, path);
  if (!from || !to) return false;
  const char* name = from->name.c_str();
  if (line.starts_with("directory ")) return ::mkdirat(to->parent.get(), name, 0700) == 0;
  struct ::stat stat {};
  if (const auto link = stat_at(from->parent.get(), name); link && S_ISLNK(link->st_mode)) {
    const auto target = read_link(from->parent.get(), name);
    return target && line_of(*link) == line && ::symlinkat(target->c_str(), to->parent.get(), name) == 0 &&
           set_times(to->parent.get(), name, *link);
  }
  const Fd source(::openat(from->parent.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!source || ::fstat(source.get(), &stat) != 0 || line_of(stat) != line) return false;
  const Fd copy(::openat(to->parent.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!copy || !copy_bytes(source, copy) || ::fchmod(copy.get(), stat.st_mode & 0777) != 0) return false;
  struct ::stat after {};
  return set_times(to->parent.get(), name, stat) && ::fstat(source.get(), &after) == 0 && line_of(after) == line;
}

::mode_t mode_in(const std::string& line) {
  const auto word = line.substr(line.find(' ') + 1);
  return static_cast<::mode_t>(std::strtoul(word.c_str(), nullptr, 10)) & 0777;
}

class Template {
 public:
  Template(const Layout& layout, const port::SetupSpec& spec)
      : layout_(layout), spec_(spec), before_(layout.stat_cache(spec.session) + ".before") {}

  // False when nothing is known that the result of the command follows from.
  Result<bool> load_tree() {
    BERNSTEIN_TRY_VOID(check_name(spec_.session));
    BERNSTEIN_TRY(const Oid base, parse_oid(spec_.base));
    BERNSTEIN_TRY(const Repository users, open_repository(layout_));
    BERNSTEIN_TRY(const Commit commit, find_commit(users.get(), base));
    BERNSTEIN_TRY(tree_, files_of(users.get(), Oid(git_commit_tree_id(commit.get()))));
    BERNSTEIN_TRY(worktree_, open_directory(layout_.worktree(spec_.session)));
    return std::any_of(tree_.begin(), tree_.end(), [&](const auto& file) { return is_input(spec_, file.first); });
  }

  // How the worktree stood before the command, written once. False when it does not stand as its tree, and the key
  // would say nothing.
  Result<bool> note_before() {
    const auto standing = look();
    if (!standing || !inputs_stand()) return false;
    placed_ = {.head = key_of(*standing), .lines = *standing};
    BERNSTEIN_TRY_VOID(write_lines(before_, placed_.head, *standing));
    BERNSTEIN_FAILPOINT("git.reuse_setup.noted");
    return true;
  }

  bool read_before() {
    auto noted = read_lines(before_);
    if (!noted || !digest_from_hex(noted->head)) return false;
    placed_ = *std::move(noted);
    return true;
  }

  // What was not there before the command: left by a copy that was cut short.
  Status remove_remains() {
    const auto standing = look();
    if (!standing) {
      return Error{ErrorCode::environment, "cannot look at the worktree " + layout_.worktree(spec_.session)};
    }
    Lines remains;
    for (const auto& [path, line] : *standing) {
      if (!path.starts_with(k_of_repository) && !placed_.lines.contains(path)) remains.emplace(path, line);
    }
    for (const std::string& path : roots_of(remains)) {
      BERNSTEIN_TRY_VOID(discard(layout_.worktree(spec_.session) + "/" + path, layout_.trash()));
    }
    return Ok{};
  }

  bool exists_already() const { return exists(place()); }

  // False when there is no template that fits. After an error there are remains.
  Result<bool> put_into_worktree() {
    const auto manifest = read_lines(place() + "/manifest");
    if (!manifest) return false;
    for (const auto& [path, line] : manifest->lines) {
      if (tree_has(tree_, path) || lies_below_a_file(tree_, path)) return false;
    }
    BERNSTEIN_TRY(const std::string box, make_box());
    const auto from = open_directory(place() + "/files");
    const bool copied = from && manifest->head == this_boot() && copy(*from, box + "/files", manifest->lines);
    BERNSTEIN_FAILPOINT("git.reuse_setup.copied");
    if (!copied) {
      BERNSTEIN_TRY_VOID(discard(box, layout_.trash()));
      BERNSTEIN_TRY_VOID(discard(place(), layout_.trash()));
      return false;
    }
    BERNSTEIN_TRY(const Fd files, open_directory(box + "/files"));
    for (const std::string& root : roots_of(manifest->lines)) {
      const auto made = find_place(files, root);
      BERNSTEIN_TRY(const Place wanted, make_place(worktree_, root));
      if (!made || ::renameat(made->parent.get(), made->name.c_str(), wanted.parent.get(), wanted.name.c_str()) != 0) {
        return file_fault("cannot put into the worktree what setup_command made:", root);
      }
      BERNSTEIN_FAILPOINT("git.reuse_setup.placed");
    }
    // From the inside out: a directory may be closed to us then.
    for (auto entry = manifest->lines.rbegin(); entry != manifest->lines.rend(); ++entry) {
      if (!entry->second.starts_with("directory ")) continue;
      const auto made = find_place(worktree_, entry->first);
      const Fd directory = made ? open_directory_at(made->parent.get(), made->name.c_str()) : Fd();
      if (!directory || ::fchmod(directory.get(), mode_in(entry->second)) != 0) {
        return file_fault("cannot set the mode of", entry->first);
      }
    }
    ::utimensat(AT_FDCWD, (place() + "/manifest").c_str(), nullptr, 0);  // used last
    BERNSTEIN_TRY_VOID(discard(box, layout_.trash()));
    return true;
  }

  // What is there now and was not before the command; nothing when it is not to be kept.
  std::optional<Lines> find_made() {
    Stats now;
    if (!walk(worktree_, "", 0, tree_.size() * 2 + k_template_files_max, now)) return {};
    const StatCache known = read_stat_cache(layout_.stat_cache(spec_.session));
    for (const auto& [path, entry] : tree_) {
      const auto file = now.find(path);
      const auto as_written = known.find(path);
      if (entry.mode == GIT_FILEMODE_COMMIT) continue;
      if (file == now.end() || as_written == known.end() || as_written->second.entry != entry ||
          !looks_unchanged(as_written->second, file->second)) {
        return {};
      }
    }
    Lines made;
    std::int64_t bytes = 0;
    Lines standing = lines_of(now);
    if (!add_repository(standing)) return {};
    for (const auto& [path, line] : placed_.lines) {
      const auto found = standing.find(path);
      if (found == standing.end() || found->second != line) return {};
      standing.erase(found);
    }
    for (const auto& [path, line] : standing) {
      if (path.starts_with(k_of_repository)) return {};
      const struct ::stat& stat = now.at(path);
      if (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode) && !S_ISLNK(stat.st_mode)) return {};
      if (stat.st_uid != ::geteuid() || lies_below_a_file(tree_, path)) return {};
      if (S_ISREG(stat.st_mode)) bytes += stat.st_size;
      if (bytes > k_template_bytes_max || made.size() >= k_template_files_max || tells_place(path, stat)) return {};
      made.emplace(path, line);
    }
    if (made.empty()) return {};
    return made;
  }

  Status keep(const Lines& made) {
    BERNSTEIN_TRY(const std::string box, make_box());
    if (!copy(worktree_, box + "/files", made)) return discard(box, layout_.trash());
    BERNSTEIN_FAILPOINT("git.keep_setup.copied");
    // Whatever is changed after we have looked gets another time.
    ::nanosleep(&k_clock_step, nullptr);
    BERNSTEIN_TRY(const Fd files, open_directory(box + "/files"));
    Lines manifest;
    for (const auto& [path, line] : made) {
      const auto copied = find_place(files, path);
      const auto stat = copied ? stat_at(copied->parent.get(), copied->name.c_str()) : std::nullopt;
      if (!stat) return discard(box, layout_.trash());
      manifest.emplace(path, S_ISDIR(stat->st_mode) ? line : line_of(*stat));
    }
    BERNSTEIN_TRY_VOID(write_lines(box + "/manifest", this_boot(), manifest));
    BERNSTEIN_FAILPOINT("git.keep_setup.before_complete");
    // Another session may have been faster.
    if (::rename(box.c_str(), place().c_str()) != 0) BERNSTEIN_TRY_VOID(discard(box, layout_.trash()));
    BERNSTEIN_FAILPOINT("git.keep_setup.complete");
    return remove_old_ones();
  }

 private:
  std::string root() const { return layout_.sdd + "/setup"; }
  std::string place() const { return root() + "/" + placed_.head; }
  std::string mark() const { return "new-" + std::to_string(::getpid()) + "-"; }

  // What is in the worktree and not in the tree, and the session's repository but for what git itself changes when it
  // is only asked.
  std::optional<Lines> look() const {
    Stats stats;
    if (!walk(worktree_, "", 0, tree_.size() * 2 + k_template_files_max, stats)) return {};
    Lines lines = lines_of(stats);
    if (!add_repository(lines)) return {};
    return lines;
  }

  bool inputs_stand() const {
    const StatCache known = read_stat_cache(layout_.stat_cache(spec_.session));
    return std::all_of(tree_.begin(), tree_.end(), [&](const auto& file) {
      if (!is_input(spec_, file.first)) return true;
      const auto as_written = known.find(file.first);
      const auto at = find_place(worktree_, file.first);
      const auto now = at ? stat_at(at->parent.get(), at->name.c_str()) : std::nullopt;
      return now && as_written != known.end() && as_written->second.entry == file.second &&
             looks_unchanged(as_written->second, *now);
    });
  }

  Lines lines_of(const Stats& stats) const {
    Lines lines;
    for (const auto& [path, stat] : stats) {
      if (!tree_has(tree_, path)) lines.emplace(path, line_of(stat));
    }
    return lines;
  }

  bool add_repository(Lines& lines) const {
    const Result<Fd> repository = open_directory(layout_.session(spec_.session));
    Stats stats;
    if (!repository || !walk(*repository, "", 0, k_template_files_max, stats)) return false;
    for (const auto& [path, stat] : stats) {
      if (path.starts_with("objects") || path.starts_with("logs") || path.ends_with("/index")) continue;
      lines.emplace(k_of_repository + path, line_of(stat));
    }
    return true;
  }

  std::string key_of(const Lines& standing) const {
    std::string text;
    const auto add = [&](std::string_view part) { text += std::to_string(part.size()) + ":" + std::string(part); };
    add(spec_.command);
    for (const auto& [name, value] : spec_.environment) add(name), add(value);
    for (const auto& [path, file] : tree_) {
      if (is_input(spec_, path)) add(path), add(to_hex(file.id)), add(std::to_string(file.mode));
    }
    for (const auto& [path, line] : standing) {
      if (path.starts_with(k_of_repository)) continue;
      add(path);
      add(line.substr(0, line.find(' ', line.starts_with("directory ") ? 10 : 0)));  // kind and mode
      const auto at = find_place(worktree_, path);
      if (line.starts_with("directory ") || !at) continue;
      const auto target = read_link(at->parent.get(), at->name.c_str());
      const auto bytes = target ? target : read_plain(at->parent.get(), at->name.c_str(), std::int64_t{1} << 30);
      add(bytes ? bernstein::to_hex(sha256(*bytes)) : "");
    }
    return bernstein::to_hex(sha256(text));
  }

  // Whether a small file or a link leads back to this very worktree, or to its repository.
  bool tells_place(const std::string& path, const struct ::stat& stat) const {
    if (S_ISDIR(stat.st_mode)) return false;
    const auto at = find_place(worktree_, path);
    if (!at) return true;
    if (S_ISREG(stat.st_mode) && stat.st_size > k_searched_bytes_max) return false;
    const auto text = S_ISLNK(stat.st_mode) ? read_link(at->parent.get(), at->name.c_str())
                                            : read_plain(at->parent.get(), at->name.c_str(), k_searched_bytes_max);
    return !text || text->find(spec_.session) != std::string::npos;
  }

  Result<std::string> make_box() const {
    BERNSTEIN_TRY_VOID(make_directories(root()));
    const Fd setup = open_directory_at(AT_FDCWD, root().c_str());
    for (const DirectoryEntry& entry :
         (setup ? list_directory(setup.get()) : std::nullopt).value_or(std::vector<DirectoryEntry>{})) {
      // A process that was killed left it.
      if (!entry.name.starts_with("new-") || entry.name.starts_with(mark())) continue;
      BERNSTEIN_TRY_VOID(discard(root() + "/" + entry.name, layout_.trash()));
    }
    std::string box = root() + "/" + mark() + "XXXXXX";
    if (::mkdtemp(box.data()) == nullptr) return file_fault("cannot make a directory in", root());
    BERNSTEIN_TRY_VOID(make_directories(box + "/files"));
    return box;
  }

  static bool copy(const Fd& from, const std::string& to, const Lines& lines) {
    const Result<Fd> files = open_directory(to);
    if (!files) return false;
    for (const auto& [path, line] : lines) {
      // Of a tracked directory there is only the way.
      if (!make_place(*files, path) || !copy_entry(from, *files, path, line)) return false;
    }
    return true;
  }

  Status remove_old_ones() const {
    std::vector<std::pair<std::pair<std::int64_t, std::int64_t>, std::string>> all;
    const Fd setup = open_directory_at(AT_FDCWD, root().c_str());
    for (const DirectoryEntry& entry :
         (setup ? list_directory(setup.get()) : std::nullopt).value_or(std::vector<DirectoryEntry>{})) {
      if (entry.name.starts_with("new-")) continue;
      const auto stat = stat_at(setup.get(), (entry.name + "/manifest").c_str());
      all.push_back({stat ? std::pair<std::int64_t, std::int64_t>(stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec)
                          : std::pair<std::int64_t, std::int64_t>(0, 0),
                     entry.name});
    }
    std::sort(all.rbegin(), all.rend());
    for (std::size_t i = k_templates_max; i < all.size(); ++i) {
      BERNSTEIN_TRY_VOID(discard(root() + "/" + all[i].second, layout_.trash()));
    }
    return Ok{};
  }

  const Layout& layout_;
  const port::SetupSpec& spec_;
  std::string before_;
  Files tree_;
  Fd worktree_;
  Listed placed_;  // its head is the key
};

}  // namespace

Result<bool> reuse_setup(const Layout& layout, const port::SetupSpec& spec) {
  Template setup(layout, spec);
  BERNSTEIN_TRY(const bool has_inputs, setup.load_tree());
  if (!has_inputs) return false;
  if (setup.read_before()) {
    BERNSTEIN_TRY_VOID(setup.remove_remains());
  } else {
    BERNSTEIN_TRY(const bool noted, setup.note_before());
    if (!noted) return false;
  }
  const Result<bool> reused = setup.put_into_worktree();
  if (reused) return *reused;
  BERNSTEIN_TRY_VOID(setup.remove_remains());
  return false;
}

Status keep_setup(const Layout& layout, const port::SetupSpec& spec) {
  Template setup(layout, spec);
  BERNSTEIN_TRY(const bool has_inputs, setup.load_tree());
  if (!has_inputs || !setup.read_before() || setup.exists_already()) return Ok{};
  const auto made = setup.find_made();
  if (!made) return Ok{};
  return setup.keep(*made);
}

}  // namespace bernstein::git
