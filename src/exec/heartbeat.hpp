#pragma once
// Whether a command gets anywhere, seen from outside: it need not say so. Looked at again and again, it has made
// progress since the last look when
//
//   * it wrote a byte of output;
//   * it and its descendants used CPU time, at 10 % of a core or more. Measured with a server that never answers, over
//     90 s: Claude Code and Codex use 0.15 % of a core, Gemini CLI and Qwen Code 0.4 to 0.5 %, opencode 1.6 % and Kilo
//     2.3 %, of which 15 s take up to 3.6 and 5.1 %. Compiling or testing takes a core and more;
//   * they received data over TCP, at 200 bytes a second or more. Reading an answer of 40 pieces a second takes Claude
//     Code and Codex 2 % of a core, Qwen Code up to 5 %, and they print nothing before its end: less than others use to
//     wait. What services send to keep a connection open should be far less (a line every few seconds; not measured);
//   * something changed in its directories. What is read there is bounded (k_entries_max), and only when the others
//     have shown nothing: in a larger tree a change may go unseen that lies deep, whose writer used no CPU time.
//
//     Heartbeat heartbeat(5 * k_minute, {worktree}, now);
//     heartbeat.look(now, output_bytes);  // when next_look_at() has come
//     heartbeat.silent_us()               // 0: progress at the last look

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/base/units.hpp"
#include "received.hpp"

namespace bernstein::exec {

class Heartbeat {
 public:
  // `limit_us`: after what silence somebody cares; looks are a quarter of it apart, and 15 s at most. `now` is of a
  // clock that stands still while the machine sleeps.
  Heartbeat(Micros limit_us, std::vector<std::string> directories, Micros now);

  Micros next_look_at() const { return looked_at_ + look_us_; }
  void look(Micros now, std::int64_t output_bytes);

  // Time without progress, as far as looks tell. One that comes late counts as two: where we did not run, as in a
  // container that is paused, the command did not either.
  Micros silent_us() const { return silent_us_; }

 private:
  Micros look_us_;
  std::vector<std::string> directories_;
  Micros looked_at_;
  Micros silent_us_ = 0;
  std::int64_t output_bytes_ = 0;
  Micros cpu_us_ = 0;
  ReceivedBytes received_;
  std::optional<std::uint64_t> files_;  // their fingerprint, if the last look needed it
};

// More entries of its directories are not looked at: 10 to 20 ms.
inline constexpr std::size_t k_entries_max = 10'000;

// Differs, but for hash collisions, when a file or directory below these was made, written, moved or removed, or its
// mode changed; of those that are among the first `entries_max`, from the top down. Links are not followed, mounts not
// entered.
std::uint64_t fingerprint(const std::vector<std::string>& directories, std::size_t entries_max);

}  // namespace bernstein::exec
