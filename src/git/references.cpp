#include "references.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "bernstein/base/text.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "files.hpp"

namespace bernstein::git {
namespace {

// How long a lock that somebody else holds is waited for.
constexpr int k_lock_attempts_max = 40;
constexpr std::chrono::milliseconds k_lock_pause{25};

constexpr std::int64_t k_mark_bytes_max = 4096;
constexpr std::int64_t k_packed_refs_bytes_max = 64 << 20;
constexpr std::string_view k_ours = "refs/bernstein/";
constexpr std::string_view k_removal = "-";

using Transaction = std::unique_ptr<git_transaction, Deleter<git_transaction_free>>;

struct Change {
  std::string name;
  std::string to;  // 40 digits; k_removal
};

std::string mark_path(const Layout& layout) {
  return layout.sdd + "/moving-ref";
}

// "<to> <name>\n"; nothing when it was not written to its end, since then no lock was made either.
std::optional<Change> read_mark(const Layout& layout) {
  const std::optional<std::string> text = read_plain(mark_path(layout), k_mark_bytes_max);
  if (!text || !text->ends_with('\n')) return {};
  const std::size_t space = text->find(' ');
  if (space == std::string::npos) return {};
  return Change{text->substr(space + 1, text->size() - space - 2), text->substr(0, space)};
}

// Stays when we are killed, and goes in any other case: it must not make a later lock of somebody else look like ours.
class Mark {
 public:
  static Result<Mark> write(const Layout& layout, const Change& change) {
    BERNSTEIN_TRY_VOID(make_directories(layout.sdd));
    BERNSTEIN_TRY_VOID(write_file(mark_path(layout), change.to + " " + change.name + "\n"));
    return Mark(mark_path(layout));
  }
  Mark(Mark&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  Mark& operator=(Mark&&) = delete;
  ~Mark() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

 private:
  explicit Mark(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::string lock_path(const Layout& layout, const std::string& name) {
  return layout.git_dir + "/" + name + ".lock";
}

// Whether the lock of packed-refs holds the beginning of what is packed: a reference is taken out by writing the
// others.
bool is_packed_without(const Layout& layout, std::string_view begun) {
  const std::string packed =
      read_plain(layout.git_dir + "/packed-refs", k_packed_refs_bytes_max).value_or(std::string());
  const std::vector<std::string_view> lines = split(packed, '\n');
  const std::set<std::string_view> known(lines.begin(), lines.end());
  const std::size_t whole = begun.rfind('\n');
  if (whole == std::string_view::npos) return begun.empty() || begun.starts_with('#');
  for (const std::string_view line : split(begun.substr(0, whole), '\n')) {
    if (!line.starts_with('#') && !line.starts_with('^') && !known.contains(line)) return false;
  }
  return true;
}

void clear_lock(const Layout& layout, const Change& marked, const std::string& locked) {
  const std::string path = lock_path(layout, locked);
  const std::optional<struct ::stat> lock = stat_at(AT_FDCWD, path.c_str());
  const std::optional<struct ::stat> mark = stat_at(AT_FDCWD, mark_path(layout).c_str());
  if (!lock || !mark) return;
  const auto as_tuple = [](const ::timespec& time) { return std::tuple(time.tv_sec, time.tv_nsec); };
  if (as_tuple(lock->st_ctim) < as_tuple(mark->st_mtim)) return;
  const std::optional<std::string> begun = read_plain(path, k_packed_refs_bytes_max);
  if (!begun) return;
  const bool is_packed = locked != marked.name;
  const std::string content = marked.to == k_removal ? "" : marked.to + "\n";
  if (is_packed ? !is_packed_without(layout, *begun) : !content.starts_with(*begun)) return;
  if (!is_open_somewhere(path)) ::unlink(path.c_str());
}

// What a process of ours left that was killed over the last change, whichever that was.
void clear_leftovers(const Layout& layout) {
  const std::optional<Change> marked = read_mark(layout);
  if (!marked) return;
  clear_lock(layout, *marked, marked->name);
  if (marked->to == k_removal) clear_lock(layout, *marked, "packed-refs");
  ::unlink(mark_path(layout).c_str());
}

// Calls `act` with the mark set, again as long as it answers that somebody else has the lock. Its last answer.
template <class Act>
Result<int> change_reference(const Layout& layout, const Change& change, const char* doing, Act act) {
  clear_leftovers(layout);
  BERNSTEIN_TRY(const Mark mark, Mark::write(layout, change));
  BERNSTEIN_FAILPOINT("git.change_reference.marked");
  for (int attempt = 0; attempt < k_lock_attempts_max; ++attempt) {
    const int code = act();
    if (code != GIT_ELOCKED) return code;
    std::this_thread::sleep_for(k_lock_pause);
  }
  const std::string lock = lock_path(layout, change.name);
  if (change.name.starts_with(k_ours) && !is_open_somewhere(lock)) {
    ::unlink(lock.c_str());
    const int code = act();
    if (code != GIT_ELOCKED) return code;
  }
  const std::string held = exists(lock) ? lock : lock_path(layout, "packed-refs");
  return Error{ErrorCode::environment, std::string("cannot ") + doing + " " + change.name +
                                           ": another git process holds it; if none runs, remove " + held};
}

// git_reference_create_matching would do the same in one step; this way there is a place to be killed at.
int set_reference(git_repository* users, const std::string& name, const Oid* expected, const Oid& id,
                  const std::string& why) {
  git_transaction* raw = nullptr;
  if (const int code = git_transaction_new(&raw, users); code < 0) return code;
  const Transaction transaction(raw);
  if (const int code = git_transaction_lock_ref(raw, name.c_str()); code < 0) return code;
  BERNSTEIN_FAILPOINT("git.change_reference.locked");
  if (expected != nullptr) {
    Oid now;
    if (const int code = git_reference_name_to_id(&now.id, users, name.c_str()); code < 0) return code;
    if (now != *expected) return GIT_EMODIFIED;
  }
  if (const int code = git_transaction_set_target(raw, name.c_str(), id.get(), nullptr, why.c_str()); code < 0) {
    return code;
  }
  const int code = git_transaction_commit(raw);
  BERNSTEIN_FAILPOINT("git.change_reference.moved");
  return code;
}

}  // namespace

Status point_reference(const Layout& layout, git_repository* users, const std::string& name, const Oid& id,
                       const std::string& why) {
  BERNSTEIN_TRY(const int code, change_reference(layout, {name, to_hex(id)}, "write",
                                                 [&] { return set_reference(users, name, nullptr, id, why); }));
  return check(code, "cannot write " + name);
}

Result<bool> move_reference(const Layout& layout, git_repository* users, const std::string& name, const Oid& expected,
                            const Oid& id, const std::string& why) {
  BERNSTEIN_TRY(const int code, change_reference(layout, {name, to_hex(id)}, "move",
                                                 [&] { return set_reference(users, name, &expected, id, why); }));
  if (code == GIT_EMODIFIED || code == GIT_ENOTFOUND) return false;
  BERNSTEIN_TRY_VOID(check(code, "cannot move " + name));
  return true;
}

Status remove_reference(const Layout& layout, const std::string& name) {
  // A handle that failed to lock packed-refs believes from then on that the reference is gone: each try gets its own.
  const auto remove = [&] {
    git_repository* raw = nullptr;
    const int code = git_repository_open(&raw, layout.git_dir.c_str());
    const Repository users(raw);
    return code < 0 ? code : git_reference_remove(raw, name.c_str());
  };
  BERNSTEIN_TRY(const int code, change_reference(layout, {name, std::string(k_removal)}, "remove", remove));
  if (code == GIT_ENOTFOUND) return Ok{};
  return check(code, "cannot remove " + name);
}

}  // namespace bernstein::git
