#include "merge_message.hpp"

#include "bernstein/base/sha256.hpp"

namespace bernstein::run {
namespace {

constexpr std::size_t k_event_hash_digits = 16;

}  // namespace

std::string event_trailer(Seq seq, const Digest& hash) {
  return std::to_string(seq) + " " + to_hex(hash).substr(0, k_event_hash_digits);
}

std::string merge_message(const RunState& state, const Attempt& attempt, const std::string& event) {
  const Task& task = task_of(state, attempt.id.task);
  return task.spec.title + "\n\n" +                                                  //
         "Bernstein-Run: " + to_string(state.run) + "\n" +                           //
         "Bernstein-Task: " + to_string(attempt.id.task) + "\n" +                    //
         "Bernstein-Attempt: " + to_string(attempt.id) + "\n" +                      //
         "Bernstein-Agent: " + attempt.arm.agent + " " + attempt.arm.model + "\n" +  //
         "Bernstein-Event: " + event + "\n";
}

}  // namespace bernstein::run
