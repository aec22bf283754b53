#include "signal_owner.hpp"

#include <signal.h>

#include <chrono>
#include <string>
#include <thread>

namespace bernstein::cli {
namespace {

constexpr std::chrono::milliseconds k_look{20};

Result<std::string> last_event_of(const Home& home, std::string_view type) {
  BERNSTEIN_TRY(const port::Table table, home.reader->query("SELECT coalesce(max(seq), 0) FROM events WHERE type = '" +
                                                            std::string(type) + "'"));
  return table.rows.front().front().text;
}

}  // namespace

Status signal_owner(const Home& home, int signal, std::string_view event_type) {
  const std::optional<store::Owner> owner = owner_of(home);
  if (!owner) return Error{ErrorCode::not_found, "no Bernstein is at work on " + home.root};
  const pid_t pid = static_cast<pid_t>(owner->pid);
  BERNSTEIN_TRY(const std::string before, last_event_of(home, event_type));
  if (::kill(pid, signal) != 0) {
    return Error{ErrorCode::environment,
                 "process " + std::to_string(pid) + " cannot be told: it belongs to somebody else"};
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(k_answer_limit_us);
  while (std::chrono::steady_clock::now() < until) {
    BERNSTEIN_TRY(const std::string after, last_event_of(home, event_type));
    if (after != before) return Ok{};
    if (!owner_of(home)) {
      return Error{ErrorCode::conflict,
                   "process " + std::to_string(pid) + " ended before it had taken note; see `bernstein status`"};
    }
    std::this_thread::sleep_for(k_look);
  }
  return Error{ErrorCode::environment, "process " + std::to_string(pid) + " did not answer within " +
                                           format_duration(k_answer_limit_us) + "; it may be stopped (`kill -CONT " +
                                           std::to_string(pid) + "`)"};
}

}  // namespace bernstein::cli
