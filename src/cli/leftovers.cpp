#include "leftovers.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "bernstein/run/loop.hpp"

namespace bernstein::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view k_session = "session";

// "session-r1-t4.2" → "session", r1, t4.2.
struct ParsedName {
  std::string purpose;
  RunId run;
  AttemptId attempt;
};
std::optional<ParsedName> parse_name(std::string_view name) {
  const std::size_t second = name.rfind('-');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const std::size_t first = name.rfind('-', second - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const std::string_view run_text = name.substr(first + 1, second - first - 1);
  const auto run = parse_run_id(run_text);
  const auto attempt = parse_attempt_id(name.substr(second + 1));
  // Only what we write ourselves is ours: "session-1-t4.2" is not.
  if (!run || !attempt || to_string(*run) != run_text || to_string(*attempt) != name.substr(second + 1))
    return std::nullopt;
  return ParsedName{std::string(name.substr(0, first)), *run, *attempt};
}

// Names in a directory, without following it when it is a link. Empty when there is none.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code problem;
  if (!fs::is_directory(fs::symlink_status(directory, problem))) return names;
  for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

// Worktrees and bare repositories under the name of what they belong to.
std::set<std::string> all_names(const std::string& sdd) {
  std::set<std::string> names;
  for (std::string& name : names_in(sdd + "/worktrees")) names.insert(std::move(name));
  for (const std::string& name : names_in(sdd + "/agents")) {
    const fs::path path(name);
    if (path.extension() == ".git") names.insert(path.stem().string());
  }
  return names;
}

// Why a thing has to stay; nothing when its attempt has ended.
class Judge {
 public:
  explicit Judge(const Home& home) : home_(home) {}

  Result<std::optional<std::string>> reason_to_keep(const ParsedName& name) {
    BERNSTEIN_TRY(const RunState* state, state_of(name.run));
    if (state == nullptr) return std::optional<std::string>("the log has no run " + to_string(name.run));
    const auto task = state->tasks.find(name.attempt.task);
    if (task == state->tasks.end() || name.attempt.number > task->second.attempts.size()) {
      return std::optional<std::string>("the log has no attempt " + to_string(name.attempt) + " in " +
                                        to_string(name.run));
    }
    if (state->in_flight.contains(name.attempt)) return std::optional<std::string>("its attempt has not ended");
    if (attempt_of(*state, name.attempt).step == Step::handed_over) {
      return std::optional<std::string>(
          "it was handed over to you: resolve the conflict there, then `bernstein retry " + to_string(name.run) + "/" +
          to_string(name.attempt.task) + "`");
    }
    if (is_work_at_risk(attempt_of(*state, name.attempt))) {
      return std::optional<std::string>("what its agent left there could not be saved and is nowhere else; look at it");
    }
    return std::optional<std::string>();
  }

 private:
  // Null when there is no such run.
  Result<const RunState*> state_of(RunId run) {
    const auto known = states_.find(run);
    if (known != states_.end()) return known->second ? &*known->second : nullptr;
    Result<RunState> state = run::load_state(*home_.reader, run);
    if (!state && state.error().code != ErrorCode::not_found) return state.error();
    auto& kept = states_[run];
    if (state) kept = std::move(state).value();
    return kept ? &*kept : nullptr;
  }

  const Home& home_;
  std::map<RunId, std::optional<RunState>> states_;
};

}  // namespace

std::uint64_t bytes_below(const std::string& path) {
  std::error_code problem;
  const fs::file_status status = fs::symlink_status(path, problem);
  if (fs::is_regular_file(status)) {
    const std::uintmax_t size = fs::file_size(path, problem);
    return problem ? 0 : size;
  }
  if (!fs::is_directory(status)) return 0;
  std::uint64_t bytes = 0;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(path, options, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::error_code ignored;
    if (!fs::is_regular_file(entry->symlink_status(ignored))) continue;
    const std::uintmax_t size = entry->file_size(ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

Result<Leftovers> find_leftovers(const Home& home) {
  Leftovers found;
  Judge judge(home);
  for (const std::string& name : all_names(home.sdd)) {
    const std::optional<ParsedName> parsed = parse_name(name);
    if (!parsed) {
      found.kept.push_back({name, "Bernstein did not make it"});
      continue;
    }
    BERNSTEIN_TRY(const std::optional<std::string> reason, judge.reason_to_keep(*parsed));
    if (reason) {
      found.kept.push_back({name, *reason});
      continue;
    }
    Leftover leftover{.what = parsed->purpose == k_session ? Leftover::What::session : Leftover::What::checkout,
                      .name = name,
                      .bytes = 0};
    leftover.bytes = bytes_below(home.sdd + "/worktrees/" + name) + bytes_below(home.sdd + "/agents/" + name + ".git");
    found.finished.push_back(std::move(leftover));
  }
  for (const char* name : {"pool", "setup", "trash"}) {
    const std::string path = home.sdd + "/" + name;
    const auto what = name == std::string_view("trash") ? Leftover::What::trash : Leftover::What::shared;
    if (!names_in(path).empty()) found.finished.push_back({what, name, bytes_below(path)});
  }
  return found;
}

RunId last_run_on_disk(const std::string& sdd) {
  RunId last;
  for (const std::string& name : all_names(sdd)) {
    if (const auto parsed = parse_name(name)) last = std::max(last, parsed->run);
  }
  return last;
}

void empty_shared(const Home& home, const std::string& shared) {
  const fs::path directory = fs::path(home.sdd) / shared;
  for (const std::string& name : names_in(directory.string())) {
    const fs::path path = directory / name;
    std::error_code problem;
    fs::remove_all(path, problem);
    if (!problem) continue;
    // Caches of module managers are read-only on purpose: their directories are opened first.
    if (fs::is_directory(fs::symlink_status(path, problem)))
      fs::permissions(path, fs::perms::owner_all, fs::perm_options::add, problem);
    for (fs::recursive_directory_iterator entry(path, problem), end; !problem && entry != end;
         entry.increment(problem)) {
      std::error_code ignored;
      if (!fs::is_directory(entry->symlink_status(ignored))) continue;
      fs::permissions(entry->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(path, problem);
  }
}

}  // namespace bernstein::cli
