#include "suspicions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include "bernstein/base/text.hpp"
#include "files.hpp"
#include "names.hpp"
#include "session_repository.hpp"
#include "setup_files.hpp"

namespace bernstein::git {
namespace {

constexpr std::int64_t k_file_bytes_max = 1 << 20;
constexpr std::int64_t k_packed_refs_bytes_max = 64 << 20;
constexpr int k_depth_max = 8;
constexpr std::size_t k_entries_max = 20'000;
constexpr std::size_t k_collected_max = 1'000;

// "core.x" is that key; "user.*" is all of the section, without and with a subsection.
constexpr auto k_harmless =
    std::to_array<std::string_view>({"advice.*",
                                     "apply.*",
                                     "author.*",
                                     "blame.*",
                                     "branch.*",
                                     "color.*",
                                     "column.*",
                                     "commit.gpgsign",
                                     "commit.verbose",
                                     "committer.*",
                                     "core.abbrev",
                                     "core.autocrlf",
                                     "core.bigfilethreshold",
                                     "core.checkstat",
                                     "core.commentchar",
                                     "core.compression",
                                     "core.eol",
                                     "core.filemode",
                                     "core.ignorecase",
                                     "core.logallrefupdates",
                                     "core.longpaths",
                                     "core.precomposeunicode",
                                     "core.preloadindex",
                                     "core.quotepath",
                                     "core.safecrlf",
                                     "core.sparsecheckout",
                                     "core.sparsecheckoutcone",
                                     "core.splitindex",
                                     "core.symlinks",
                                     "core.trustctime",
                                     "core.untrackedcache",
                                     "core.whitespace",
                                     "diff.algorithm",
                                     "diff.colormoved",
                                     "diff.context",
                                     "diff.indentheuristic",
                                     "diff.mnemonicprefix",
                                     "diff.noprefix",
                                     "diff.renamelimit",
                                     "diff.renames",
                                     "diff.submodule",
                                     "extensions.worktreeconfig",  // what the other file says is looked at too
                                     "feature.*",
                                     "fetch.*",
                                     "gc.*",
                                     "grep.*",
                                     "help.autocorrect",
                                     "i18n.*",
                                     "index.*",
                                     "init.*",
                                     "log.*",
                                     "maintenance.*",
                                     "merge.conflictstyle",
                                     "merge.directoryrenames",
                                     "merge.ff",
                                     "merge.log",
                                     "merge.renamelimit",
                                     "merge.renames",
                                     "merge.stat",
                                     "pull.*",
                                     "push.*",
                                     "rebase.*",
                                     "rerere.*",
                                     "stash.*",
                                     "status.*",
                                     "tag.gpgsign",
                                     "tag.sort",
                                     "user.*"});

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// No program to fetch with ("ext::sh -c ...", "--upload-pack=...").
bool is_plain_url(std::string_view url) {
  return !url.starts_with('-') && url.find("::") == std::string_view::npos;
}

// A path in a tree as .gitmodules has it.
bool leaves_tree(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.front() == '-') return true;
  const std::vector<std::string_view> parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return part == ".." || lower_case(part) == ".git"; });
}

// Of a link at `path`: whether where it leads is outside of the tree, or among git's own files.
bool link_leaves_tree(std::string_view path, std::string_view target) {
  if (target.starts_with('/')) return true;
  std::ptrdiff_t depth = std::count(path.begin(), path.end(), '/');
  for (const std::string_view part : split(target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (--depth < 0) return true;
    } else {
      if (is_forbidden_name(part)) return true;
      ++depth;
    }
  }
  return false;
}

std::string name_of(const Setting& setting) {
  return setting.section + (setting.subsection.empty() ? "" : "." + setting.subsection) + "." + setting.key;
}

// Reads settings one character after another.
class SettingsReader {
 public:
  explicit SettingsReader(const std::string& text) : text_(text) {}

  std::vector<Setting> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#' || c == ';') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '[') {
        read_section();
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
      } else {
        read_setting();
      }
    }
    return std::move(settings_);
  }

 private:
  char next() { return at_ < text_.size() ? text_[at_++] : '\n'; }

  void read_section() {
    ++at_;
    current_ = {};
    std::string name;
    char c = next();
    for (; c != ']' && c != '"' && c != '\n'; c = next()) {
      if (c != ' ' && c != '\t') name += c;
    }
    if (c == '"') {
      for (c = next(); c != '"' && c != '\n'; c = next()) current_.subsection += c == '\\' ? next() : c;
      while (c != ']' && c != '\n') c = next();
    } else if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      current_.subsection = name.substr(dot + 1);  // [section.subsection], the old way
      name.resize(dot);
    }
    if (c != ']') settings_.push_back({});  // git reads no further
    current_.section = lower_case(name);
  }

  void read_setting() {
    Setting setting = current_;
    while (at_ < text_.size() && std::string_view("=\n#;").find(text_[at_]) == std::string_view::npos)
      setting.key += text_[at_++];
    setting.key = lower_case(trim(setting.key));
    if (at_ < text_.size() && text_[at_] == '=') {
      ++at_;
      setting.value = read_value();
    }
    settings_.push_back(std::move(setting));
  }

  std::string read_value() {
    std::string value;
    bool inside = false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\n') break;
      if (c == '"') {
        inside = !inside;
      } else if (c == '\\') {
        const char escaped = next();
        if (escaped != '\n') value += escaped == 'n' ? '\n' : escaped;
      } else if (!inside && (c == '#' || c == ';')) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        value += c;
      }
    }
    return std::string(trim(value));
  }

  const std::string& text_;
  std::size_t at_ = 0;
  Setting current_;
  std::vector<Setting> settings_;
};

// The session's repository, file by file.
class RepositoryLook {
 public:
  RepositoryLook(const Layout& layout, const port::CaptureSpec& spec, const Fd& repository, Suspicions& found)
      : layout_(layout), spec_(spec), repository_(repository), found_(found) {}

  void all() {
    const std::string linked = "worktrees/" + spec_.session;
    for (const std::string& path : {std::string("config"), std::string("config.worktree"), linked + "/config.worktree"})
      look_at_config(path);
    look_at_hooks();
    look_at_lines("info/attributes", users_file("/info/attributes"));
    look_at_lines("info/exclude", users_file("/info/exclude") + exclude_lines(spec_.not_ours));
    expect("objects/info/alternates", layout_.objects + "\n");
    expect("shallow", users_file("/shallow"));
    expect(linked + "/commondir", "../..\n");
    expect(linked + "/gitdir", layout_.worktree(spec_.session) + "/.git\n");
    for (const char* path : {"info/grafts", "objects/info/http-alternates", "commondir", "gitdir"}) {
      if (const auto text = text_of(path); !text || !text->empty()) say_has(path);
    }
    look_at_references();
    walk(repository_, "", 0);
  }

 private:
  // Nothing when it is no plain file; "" when there is none.
  std::optional<std::string> text_of(const std::string& path) const {
    const auto place = find_place(repository_, path);
    if (!place || !stat_at(place->parent.get(), place->name.c_str())) return "";
    return read_plain(place->parent.get(), place->name.c_str(), k_file_bytes_max);
  }
  std::string users_file(const char* path) const {
    return read_plain(layout_.git_dir + path, k_file_bytes_max).value_or("");
  }
  void say_has(const std::string& path) { found_.add("its repository has the file " + told_path(path)); }
  void say_changed(const std::string& path) { found_.add("it changed " + path + " of its repository"); }

  void expect(const std::string& path, const std::string& text) {
    if (text_of(path) != text) say_changed(path);
  }

  // Only names are told: a value may hold a password.
  void look_at_config(const std::string& path) {
    const auto text = text_of(path);
    if (!text) return say_changed(path);
    for (const Setting& setting : settings_of(*text)) {
      if (setting.section.empty()) {
        found_.add("the configuration of its repository is not what git writes");
      } else if (!is_harmless(setting)) {
        found_.add("it set " + printable_path(name_of(setting)) + " in the configuration of its repository");
      }
    }
  }

  void look_at_hooks() {
    const auto stat = stat_at(repository_.get(), "hooks");
    if (!stat) return;
    const Fd hooks = open_directory_at(repository_.get(), "hooks");
    const auto entries = hooks ? list_directory(hooks.get()) : std::nullopt;
    if (!entries) return found_.add("the hooks of its repository are no plain directory");
    for (const DirectoryEntry& entry : *entries) {
      // `git init`, said again in the worktree, leaves the samples.
      if (!entry.name.ends_with(".sample")) found_.add("its repository has the hook " + told_path(entry.name));
    }
  }

  // Lines that were added; those of setup are its own.
  void look_at_lines(const std::string& path, const std::string& expected) {
    const auto text = text_of(path);
    if (!text) return say_changed(path);
    const std::vector<std::string_view> known = split(expected, '\n');
    const bool more_was_copied = exists(layout_.root + "/.worktreeinclude");
    for (const std::string_view line : split(*text, '\n')) {
      if (line.empty() || line.front() == '#' || (more_was_copied && line.front() == '/')) continue;
      if (std::find(known.begin(), known.end(), line) == known.end()) return say_changed(path);
    }
  }

  void look_at_reference(std::string_view name) {
    if (name.starts_with("refs/replace/")) found_.add("its repository has replaced objects (refs/replace)");
    if (name.starts_with("refs/bernstein/") || name.starts_with("refs/heads/refs/") ||
        name.starts_with("refs/tags/refs/")) {
      found_.add("its repository has the reference " + told_path(name));
    }
  }
  void look_at_references() {
    const auto packed = read_plain(repository_.get(), "packed-refs", k_packed_refs_bytes_max).value_or("");
    for (const std::string_view line : split(packed, '\n')) {
      if (line.size() > 41 && line[40] == ' ') look_at_reference(line.substr(41));
    }
    const auto head = text_of("worktrees/" + spec_.session + "/HEAD");
    if (!head || head->empty()) return say_changed("HEAD");
    const std::string_view line = trim(*head);
    const bool is_branch = line.starts_with("ref: refs/heads/") && line.find("..") == std::string_view::npos;
    if (!is_branch && !parse_oid(line)) say_changed("HEAD");
  }

  void walk(const Fd& directory, const std::string& prefix, int depth) {
    const auto entries = list_directory(directory.get());
    if (!entries || depth > k_depth_max) return;
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = prefix + entry.name;
      if (++walked_ > k_entries_max) return;
      if (S_ISDIR(entry.stat.st_mode)) {
        // Objects are many, and are looked at where they are lent.
        const bool is_objects = path == "objects";
        const Fd below = is_objects ? Fd() : open_directory_at(directory.get(), entry.name.c_str());
        if (below) walk(below, path + "/", depth + 1);
      } else if (!S_ISREG(entry.stat.st_mode)) {
        found_.add(told_path(path) + " of its repository is a " +
                   (S_ISLNK(entry.stat.st_mode) ? "link" : "special file"));
      } else if (prefix.starts_with("refs/")) {
        look_at_reference(path);
      }
    }
  }

  const Layout& layout_;
  const port::CaptureSpec& spec_;
  const Fd& repository_;
  Suspicions& found_;
  std::size_t walked_ = 0;
};

void look_at_modules(const std::string& path, const std::string& text, Suspicions& found) {
  for (const Setting& setting : settings_of(text)) {
    const bool place = setting.key == "path" && leaves_tree(setting.value);
    const bool url = setting.key == "url" && !is_plain_url(setting.value);
    if (place || url) found.add(told_path(path) + " names a command or a place outside of the tree");
  }
}

std::optional<std::string> small_blob(git_repository* repository, const Oid& id) {
  git_blob* raw = nullptr;
  if (git_blob_lookup(&raw, repository, id.get()) < 0) return {};
  const Blob blob(raw);
  if (git_blob_rawsize(raw) > static_cast<git_object_size_t>(k_file_bytes_max)) return {};
  return std::string(static_cast<const char*>(git_blob_rawcontent(raw)), git_blob_rawsize(raw));
}

}  // namespace

std::string told_path(std::string_view path) {
  constexpr std::size_t k_bytes_max = 80;
  return "'" + shortened(printable_path(path), k_bytes_max) + "'";
}

void Suspicions::add(const std::string& sentence) {
  std::string line = shortened(printable_utf8(sentence), k_suspicion_bytes_max);
  if (sentences_.size() < k_collected_max) {
    sentences_.insert(std::move(line));
  } else if (!sentences_.contains(line)) {
    ++left_out_;
  }
}

std::vector<std::string> Suspicions::sentences() const {
  const std::size_t all = sentences_.size() + left_out_;
  std::vector<std::string> first(sentences_.begin(), sentences_.end());
  if (all <= k_suspicions_max) return first;
  first.resize(k_suspicions_max - 1);
  first.push_back("... and " + std::to_string(all - first.size()) + " more");
  return first;
}

std::vector<Setting> settings_of(const std::string& text) {
  return SettingsReader(text).read();
}

bool is_harmless(const Setting& setting) {
  const std::string& value = setting.value;
  if (setting.section == "core") {
    if (setting.key == "repositoryformatversion") return value == "0" || value == "1";
    if (setting.key == "bare") return true;  // `git init`, said again in the worktree, turns it off
    if (setting.key == "fsmonitor")
      return is_one_of(lower_case(value), {"", "true", "false", "yes", "no", "on", "off", "0", "1"});
  }
  if (setting.section == "alias") return !value.starts_with('!');
  if (setting.section == "remote" || setting.section == "submodule") {
    if (setting.key == "url" || setting.key == "pushurl") return is_plain_url(value);
    return is_one_of(setting.key,
                     {"active", "fetch", "gh-resolved", "mirror", "prune", "push", "pushdefault", "tagopt"});
  }
  const bool all_of_it = std::find(k_harmless.begin(), k_harmless.end(), setting.section + ".*") != k_harmless.end();
  if (all_of_it) return true;
  const std::string name = setting.section + "." + setting.key;
  return setting.subsection.empty() && std::find(k_harmless.begin(), k_harmless.end(), name) != k_harmless.end();
}

std::optional<std::string> metadata_fault(std::string_view name, std::string_view bytes) {
  if (is_attributes_name(name)) {
    constexpr std::size_t k_line_bytes_max = 2047;
    const std::vector<std::string_view> lines = split(bytes, '\n');
    const bool all_fit =
        std::all_of(lines.begin(), lines.end(), [](std::string_view line) { return line.size() <= k_line_bytes_max; });
    if (!all_fit) return "it has a line that is too long";
  }
  if (!is_modules_name(name)) return {};
  for (const Setting& setting : settings_of(std::string(bytes))) {
    if (setting.section != "submodule") continue;
    const std::string slashes = replace_all(setting.subsection, "\\", "/");
    const std::vector<std::string_view> parts = split(slashes, '/');
    if (slashes.empty() || std::find(parts.begin(), parts.end(), "..") != parts.end()) return "it names no submodule";
    const bool is_option = setting.value.starts_with('-') || setting.value.find('\n') != std::string::npos;
    if (is_option && (setting.key == "url" || setting.key == "path")) return "it has an option where a place belongs";
    if (setting.key == "update" && setting.value.starts_with('!')) return "it names a command";
  }
  return {};
}

void look_at_repository(const Layout& layout, const port::CaptureSpec& spec, Suspicions& found) {
  if (const Result<Fd> worktree = open_directory(layout.worktree(spec.session))) {
    const auto stat = stat_at(worktree->get(), ".git");
    const std::string expected = "gitdir: " + layout.session(spec.session) + "/worktrees/" + spec.session;
    const auto text = read_plain(worktree->get(), ".git", k_file_bytes_max);
    if (!stat) {
      found.add("the .git file of its worktree is gone");
    } else if (!text) {
      found.add("the .git file of its worktree is no plain file any more");
    } else if (trim(*text) != expected) {
      found.add("the .git file of its worktree leads elsewhere");
    }
  }
  const Result<Fd> agents = open_directory(layout.sdd + "/agents");
  const Fd repository = agents ? open_directory_at(agents->get(), (spec.session + ".git").c_str()) : Fd();
  if (!repository) return found.add("its repository is gone or no plain directory any more");
  RepositoryLook(layout, spec, repository, found).all();
}

void look_at_changes(git_repository* repository, const std::map<std::string, FileChange>& changes, Suspicions& found) {
  const auto is_added = [&](const std::string& path) {
    const auto change = changes.find(path);
    return change != changes.end() && !change->second.before;
  };
  for (const auto& [path, change] : changes) {
    if (!change.after) continue;
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const std::string name = path.substr(above.size());
    if (change.after->mode == GIT_FILEMODE_LINK) {
      const auto target = small_blob(repository, change.after->id);
      if (target && link_leaves_tree(path, *target))
        found.add(told_path(path) + " is a link that leaves the tree, to " + told_path(*target));
    } else if (is_modules_name(name)) {
      if (const auto text = small_blob(repository, change.after->id)) look_at_modules(path, *text, found);
    } else if (name == "HEAD" && is_added(path) && is_added(above + "config")) {
      found.add(told_path(above.empty() ? "." : above) + " looks like a bare repository");
    }
  }
}

}  // namespace bernstein::git
