#include "earlier_attempts.hpp"

#include <utility>

#include "bernstein/base/text.hpp"

namespace bernstein::run {
namespace {

std::string output_of(const Evidence& evidence, port::BlobStore& blobs) {
  if (evidence.output.empty()) return "";
  const Result<std::string> kept = blobs.get(evidence.output);
  return kept ? printable_utf8(*kept) : "(its output is no longer there)";
}

}  // namespace

std::vector<EarlierAttempt> earlier_attempts(const Task& task, port::BlobStore& blobs) {
  std::vector<EarlierAttempt> earlier;
  for (const Attempt& attempt : task.attempts) {
    if (!attempt.failure) continue;
    EarlierAttempt& failed = earlier.emplace_back();
    failed.number = attempt.id.number;
    failed.why = attempt.failure->why;
    if (attempt.work && !attempt.work->changes.empty()) failed.commit = attempt.work->commit;
    for (const Evidence& evidence : attempt.failure->evidence) {
      failed.evidence.emplace_back(evidence.label, output_of(evidence, blobs));
    }
  }
  return earlier;
}

}  // namespace bernstein::run
