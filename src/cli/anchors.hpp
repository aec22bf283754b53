#pragma once
// The anchors of runs, as git keeps them (refs/bernstein/runs/<run>).

#include <map>
#include <string>

#include "bernstein/base/id.hpp"
#include "bernstein/base/result.hpp"
#include "open_workspace.hpp"

namespace bernstein::cli {

using Anchors = std::map<RunId, std::string>;  // run → the text of its newest anchor

// Of the runs in the log and of those that would come after its last one: a log whose end was cut off still has them.
// Without a repository (it was moved away, or is no repository any more) there are none to read: an error.
Result<Anchors> read_anchors(const Home& home);

// The highest run from `after` on that has an anchor, in a row; `after` itself when the next one has none.
Result<RunId> last_anchored(port::Workspace& repository, RunId after);

// Anchors the run's last event, as the one who was killed before could not. ErrorCode::corrupt when the anchor names an
// event that the log does not have: then somebody rewrote the log, and nothing is built on it.
Status renew_anchor(port::Workspace& repository, port::EventReader& log, RunId run);

}  // namespace bernstein::cli
