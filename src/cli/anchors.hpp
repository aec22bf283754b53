#pragma once
// The anchors of runs, as git keeps them (refs/bernstein/runs/<run>).

#include <map>
#include <string>

#include "bernstein/base/id.hpp"
#include "bernstein/base/result.hpp"
#include "open_workspace.hpp"

namespace bernstein::cli {

using Anchors = std::map<RunId, std::string>;  // run → the text of its newest anchor

Result<Anchors> read_anchors(const Home& home);

}  // namespace bernstein::cli
