#include "session_repository.hpp"

#include <git2/sys/odb_backend.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "bernstein/base/text.hpp"
#include "files.hpp"

namespace bernstein::git {
namespace {

constexpr std::int64_t k_small_file_bytes_max = 1 << 20;
constexpr std::int64_t k_packed_refs_bytes_max = 64 << 20;
constexpr int k_objects_depth_max = 4;
constexpr int k_locks_depth_max = 8;

// A value for a git configuration file, between quotes.
std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n' || c == '\r' || c == '\0') continue;
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string setting(git_config* config, const char* name, const std::string& otherwise = "") {
  Buffer value;
  if (config == nullptr || git_config_get_string_buf(value.get(), config, name) < 0) return otherwise;
  return std::string(value.bytes());
}

std::string session_config(git_repository* users) {
  git_config* raw = nullptr;
  git_repository_config_snapshot(&raw, users);
  const Config config(raw);
  const std::string name = setting(raw, "user.name", "Bernstein agent");
  const std::string email = setting(raw, "user.email", "agent@localhost");
  std::string text =
      "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tlogallrefupdates = true\n"
      "\tfsmonitor = false\n";
  for (const std::array<const char*, 2>& line : {std::array{"core.autocrlf", "autocrlf"}, {"core.eol", "eol"}}) {
    const std::string value = setting(raw, line[0]);
    if (!value.empty()) text += std::string("\t") + line[1] + " = " + quoted(value) + "\n";
  }
  // No agent waits for the passphrase of the person's signing key.
  return text + "[user]\n\tname = " + quoted(name) + "\n\temail = " + quoted(email) +
         "\n[commit]\n\tgpgsign = false\n[tag]\n\tgpgsign = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
}

bool is_plain(int directory, int depth) {
  const auto entries = list_directory(directory);
  if (!entries || depth > k_objects_depth_max) return false;
  return std::all_of(entries->begin(), entries->end(), [&](const DirectoryEntry& entry) {
    if (S_ISREG(entry.stat.st_mode)) return true;
    if (!S_ISDIR(entry.stat.st_mode)) return false;
    const Fd below = open_directory_at(directory, entry.name.c_str());
    return below && is_plain(below.get(), depth + 1);
  });
}

void clear_locks(int directory, const std::string& path, int depth) {
  for (const DirectoryEntry& entry : list_directory(directory).value_or(std::vector<DirectoryEntry>{})) {
    const std::string below = path + "/" + entry.name;
    if (S_ISDIR(entry.stat.st_mode) && depth < k_locks_depth_max && entry.name != "objects") {
      const Fd inner = open_directory_at(directory, entry.name.c_str());
      if (inner) clear_locks(inner.get(), below, depth + 1);
    } else if (S_ISREG(entry.stat.st_mode) && entry.name.ends_with(".lock") && !is_open_somewhere(below)) {
      ::unlinkat(directory, entry.name.c_str(), 0);
    }
  }
}

std::optional<Oid> id_of_line(std::string_view line) {
  Result<Oid> id = parse_oid(trim(line));
  if (!id) return {};
  return *id;
}

// A reference's name as one part of another's: "refs/heads/a/b" → "a-b".
std::string part_of_a_name(std::string_view reference) {
  for (const std::string_view prefix : {"refs/heads/", "refs/"}) {
    if (reference.starts_with(prefix)) {
      reference.remove_prefix(prefix.size());
      break;
    }
  }
  std::string part;
  for (const char c : reference.substr(0, 100)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    part += plain ? c : '-';
  }
  return part;
}

// References as files below a directory, "refs/heads/a" → its id.
void read_loose_refs(int directory, const std::string& prefix, int depth, std::map<std::string, Oid>& refs) {
  constexpr int k_ref_depth_max = 10;
  const auto entries = list_directory(directory);
  if (!entries || depth > k_ref_depth_max) return;
  for (const DirectoryEntry& entry : *entries) {
    if (refs.size() >= k_tips_max) return;
    if (S_ISDIR(entry.stat.st_mode)) {
      const Fd below = open_directory_at(directory, entry.name.c_str());
      if (below) read_loose_refs(below.get(), prefix + entry.name + "/", depth + 1, refs);
    } else if (const auto text = read_plain(directory, entry.name.c_str(), 200)) {
      if (const auto id = id_of_line(*text)) refs.insert_or_assign(prefix + entry.name, *id);
    }
  }
}

// The older entries of the stash live in its log alone: "<before> <after> who when\twhat", the newest last.
void read_older_stashes(const Fd& repository, std::vector<SessionTip>& tips) {
  const auto place = find_place(repository, "logs/refs/stash");
  const auto log = place ? read_plain(place->parent.get(), place->name.c_str(), k_packed_refs_bytes_max) : std::nullopt;
  if (!log) return;
  std::vector<Oid> ids;
  for (const std::string_view line : split(*log, '\n')) {
    if (line.size() < 82) continue;
    if (const auto id = id_of_line(line.substr(41, 40))) ids.push_back(*id);
  }
  for (std::size_t i = 1; i < ids.size() && tips.size() < k_tips_max; ++i) {
    tips.push_back({"stash-" + std::to_string(i), ids[ids.size() - 1 - i]});
  }
}

}  // namespace

std::string session_branch(const std::string& name) {
  return "refs/heads/agent/" + name;
}

std::string keep_ref(const std::string& name) {
  return "refs/bernstein/keep/" + name;
}

Status check_name(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
                     name.back() != '.' && name.find("..") == std::string::npos && !name.ends_with(".lock") &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '-' || c == '_';
                     });
  if (plain) return Ok{};
  return Error{ErrorCode::invalid_input,
               "'" + name + "' is no name for a worktree; use letters, digits, '-', '_' and single dots"};
}

Status write_session_repository(const Layout& layout, git_repository* users, const std::string& name, const Oid& base,
                                const std::string& exclude) {
  const std::string directory = layout.session(name);
  const std::string linked = directory + "/worktrees/" + name;
  for (const std::string& made :
       {directory + "/objects/info", directory + "/objects/pack", directory + "/info", directory + "/refs/heads/agent",
        directory + "/refs/tags", directory + "/hooks", linked}) {
    BERNSTEIN_TRY_VOID(make_directories(made));
  }
  const std::string head = "ref: " + session_branch(name) + "\n";
  BERNSTEIN_TRY_VOID(write_file(directory + "/HEAD", head));
  BERNSTEIN_TRY_VOID(write_file(directory + "/config", session_config(users)));
  BERNSTEIN_TRY_VOID(write_file(directory + "/objects/info/alternates", layout.objects + "\n"));
  BERNSTEIN_TRY_VOID(write_file(directory + "/" + session_branch(name), to_hex(base) + "\n"));
  // What the person keeps out of sight, and how they want line ends, holds for agents too.
  const auto users_file = [&](const char* path) {
    return read_plain(layout.git_dir + path, k_small_file_bytes_max).value_or("");
  };
  const std::string users_exclude = users_file("/info/exclude");
  const char* line_end = users_exclude.empty() || users_exclude.ends_with('\n') ? "" : "\n";
  BERNSTEIN_TRY_VOID(write_file(directory + "/info/exclude", users_exclude + line_end + exclude));
  const std::string attributes = users_file("/info/attributes");
  if (!attributes.empty()) BERNSTEIN_TRY_VOID(write_file(directory + "/info/attributes", attributes));
  const std::string shallow = users_file("/shallow");
  if (!shallow.empty()) BERNSTEIN_TRY_VOID(write_file(directory + "/shallow", shallow));
  BERNSTEIN_TRY_VOID(write_file(linked + "/HEAD", head));
  BERNSTEIN_TRY_VOID(write_file(linked + "/commondir", "../..\n"));
  return write_file(linked + "/gitdir", layout.worktree(name) + "/.git\n");
}

void clear_session_locks(const Layout& layout, const std::string& name) {
  const Result<Fd> repository = open_directory(layout.session(name));
  if (repository) clear_locks(repository->get(), layout.session(name), 0);
}

std::optional<Oid> read_session_branch(const Layout& layout, const std::string& name) {
  Result<Fd> agents = open_directory(layout.sdd + "/agents");
  if (!agents) return {};
  const Fd repository = open_directory_at(agents->get(), (name + ".git").c_str());
  if (!repository) return {};
  if (const auto place = find_place(repository, session_branch(name))) {
    const auto text = read_plain(place->parent.get(), place->name.c_str(), 200);
    if (text) return id_of_line(*text);
    if (stat_at(place->parent.get(), place->name.c_str())) return {};
  }
  const auto packed = read_plain(repository.get(), "packed-refs", k_packed_refs_bytes_max);
  if (!packed) return {};
  for (const std::string_view line : split(*packed, '\n')) {
    if (line.size() > 41 && line[40] == ' ' && line.substr(41) == session_branch(name)) {
      return id_of_line(line.substr(0, 40));
    }
  }
  return {};
}

std::vector<SessionTip> read_other_tips(const Layout& layout, const std::string& name) {
  std::vector<SessionTip> tips;
  Result<Fd> agents = open_directory(layout.sdd + "/agents");
  if (!agents) return tips;
  const Fd repository = open_directory_at(agents->get(), (name + ".git").c_str());
  if (!repository) return tips;

  std::map<std::string, Oid> refs;
  for (const std::string_view line :
       split(read_plain(repository.get(), "packed-refs", k_packed_refs_bytes_max).value_or(""), '\n')) {
    if (line.size() <= 41 || line[40] != ' ' || refs.size() >= k_tips_max) continue;
    if (const auto id = id_of_line(line.substr(0, 40))) refs.emplace(line.substr(41), *id);
  }
  const Fd loose = open_directory_at(repository.get(), "refs");
  if (loose) read_loose_refs(loose.get(), "refs/", 0, refs);
  refs.erase(session_branch(name));
  for (const auto& [reference, id] : refs) tips.push_back({part_of_a_name(reference), id});
  if (const auto head = find_place(repository, "worktrees/" + name + "/HEAD")) {
    const auto text = read_plain(head->parent.get(), head->name.c_str(), 200);
    if (const auto id = text ? id_of_line(*text) : std::nullopt) tips.push_back({"HEAD", *id});
  }
  read_older_stashes(repository, tips);
  return tips;
}

bool lend_session_objects(const Layout& layout, const std::string& name, git_odb* odb) {
  const std::string objects = layout.session(name) + "/objects";
  Result<Fd> agents = open_directory(layout.sdd + "/agents");
  if (!agents) return false;
  const Fd repository = open_directory_at(agents->get(), (name + ".git").c_str());
  const Fd directory = repository ? open_directory_at(repository.get(), "objects") : Fd();
  if (!directory || !is_plain(directory.get(), 0)) return false;
  // Backend by backend: adding it as a whole would also follow the alternates that the agent may have written there.
  constexpr int k_after_ours = 1;
  git_odb_backend* backend = nullptr;
  if (git_odb_backend_loose(&backend, objects.c_str(), -1, 0, 0, 0) < 0) return false;
  if (git_odb_add_alternate(odb, backend, k_after_ours) < 0) return backend->free(backend), false;
  if (git_odb_backend_pack(&backend, objects.c_str()) < 0) return false;
  if (git_odb_add_alternate(odb, backend, k_after_ours) < 0) return backend->free(backend), false;
  return true;
}

}  // namespace bernstein::git
