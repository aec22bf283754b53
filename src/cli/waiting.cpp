#include "waiting.hpp"

#include "bernstein/base/text.hpp"
#include "bernstein/state/credentials.hpp"
#include "print.hpp"

namespace bernstein::cli {

std::vector<std::string> waiting_lines(const RunState& state, Micros now_wall_us) {
  std::vector<std::string> lines;
  if (!state.started) return lines;
  for (const CredentialWait& wait : waits_of(state)) {
    std::string name = wait.credential;
    if (wait.agents != std::vector{wait.credential}) name += " (" + join(wait.agents, ", ") + ")";
    lines.push_back(one_line(wait.until_wall_us ? "waiting for " + name + " until " +
                                                      format_clock(*wait.until_wall_us, now_wall_us) + ": " + wait.why
                                                : wait.why));
  }
  return lines;
}

}  // namespace bernstein::cli
