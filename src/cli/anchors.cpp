#include "anchors.hpp"

#include <optional>
#include <vector>

#include "bernstein/run/anchor.hpp"

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

Result<RunId> last_anchored(port::Workspace& repository, RunId after) {
  for (RunId next{after.number + 1};; ++next.number) {
    BERNSTEIN_TRY(const std::optional<std::string> text, read_anchor(repository, next));
    if (!text) return RunId{next.number - 1};
  }
}

Status renew_anchor(port::Workspace& repository, port::EventReader& log, RunId run) {
  BERNSTEIN_TRY(const std::optional<std::string> text, read_anchor(repository, run));
  bool is_known = !text;
  Record last;
  BERNSTEIN_TRY_VOID(log.read(run, [&](const Record& record) {
    is_known = is_known || *text == run::anchor_text(run, record.run_seq, record.hash);
    last = record;
    return true;
  }));
  if (!is_known) {
    return Error{ErrorCode::corrupt,
                 "the anchor refs/bernstein/runs/" + to_string(run) +
                     " names an event that the log does not have: nothing is built on this log; see "
                     "`bernstein audit`"};
  }
  return repository.write_anchor(to_string(run), run::anchor_text(run, last.run_seq, last.hash), last.wall_us);
}

}  // namespace bernstein::cli
