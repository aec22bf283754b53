#include "anchors.hpp"

#include <optional>
#include <vector>

namespace bernstein::cli {
namespace {

// Nothing when the run has no anchor.
Result<std::optional<std::string>> read_anchor(port::Workspace& repository, RunId run) {
  const Result<std::string> commit = repository.tip("refs/bernstein/runs/" + to_string(run));
  if (!commit) {
    if (commit.error().code == ErrorCode::not_found) return std::optional<std::string>();
    return commit.error();
  }
  // A commit without the file was not made by us: the audit finds that its text names no event.
  const Result<std::string> text = repository.read_file(*commit, "head.json");
  if (!text && text.error().code != ErrorCode::not_found) return text.error();
  return std::optional(text ? *text : "no head.json in commit " + *commit);
}

}  // namespace

Result<Anchors> read_anchors(const Home& home) {
  BERNSTEIN_TRY(const std::unique_ptr<port::Workspace> repository, open_repository(home));
  BERNSTEIN_TRY(const std::vector<RunId> runs, home.reader->runs());
  Anchors anchors;
  for (RunId run : runs) {
    BERNSTEIN_TRY(std::optional<std::string> text, read_anchor(*repository, run));
    if (text) anchors.emplace(run, *std::move(text));
  }
  for (RunId next = runs.empty() ? RunId{1} : RunId{runs.back().number + 1};; ++next.number) {
    BERNSTEIN_TRY(std::optional<std::string> text, read_anchor(*repository, next));
    if (!text) return anchors;
    anchors.emplace(next, *std::move(text));
  }
}

}  // namespace bernstein::cli
