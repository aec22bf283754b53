#pragma once
// Where a run takes place: the repository, its .sdd, and the branch to land on.
//
//     BERNSTEIN_TRY(const Place place, find_place(context.directory));      // looks only
//     BERNSTEIN_TRY(const Landing landing, find_landing(place, "main"));
//     BERNSTEIN_TRY_VOID(make_sdd(place.sdd));

#include <memory>
#include <string>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/port/workspace.hpp"

namespace bernstein::cli {

struct Place {
  std::string root;                // main working tree, absolute
  std::string worktree;            // the working tree that the person stands in: bernstein.yaml is read there
  std::string git_dir;             // the repository itself, which all its working trees share
  std::string sdd;                 // root/.sdd
  std::string branch;              // full name of the branch that is checked out; "" when HEAD is detached
  std::string head;                // commit that is checked out
  std::vector<std::string> notes;  // what agents will miss, a sentence each
};

// ErrorCode::environment without a repository, in a bare one, and before the first commit. Changes nothing.
Result<Place> find_place(const std::string& directory);

struct Landing {
  std::string target;  // "refs/heads/main"
  std::string tip;     // commit it stands at
};

// The branch with this name or, without one, the branch that is checked out. ErrorCode::invalid_input when there is
// none.
Result<Landing> find_landing(const Place& place, const std::string& branch);

// .sdd, for its owner only, with a .gitignore that hides it. Being there already is fine.
Status make_sdd(const std::string& sdd);

Result<std::unique_ptr<port::Workspace>> open_repository(const Place& place);

}  // namespace bernstein::cli
