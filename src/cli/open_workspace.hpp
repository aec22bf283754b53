#pragma once
// Where the commands that look find what they look at: the repository's .sdd and the log in it.
//
//     BERNSTEIN_TRY(const Home home, open_workspace(context));
//     home.reader->runs()

#include <memory>
#include <optional>
#include <string>

#include "bernstein/cli/context.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/port/event_log.hpp"
#include "bernstein/port/workspace.hpp"
#include "bernstein/store/store.hpp"

namespace bernstein::cli {

struct Home {
  std::string root;  // absolute path of the repository's working tree
  std::string sdd;   // root/.sdd
  std::unique_ptr<port::EventReader> reader;
};

// Of the repository that context.directory is in; from inside .sdd, of the one that the .sdd belongs to.
// ErrorCode::environment when there is no repository or no run in it yet; the message says which.
Result<Home> open_workspace(const Context& context);

// The blobs of the log; null when there are none (looking creates nothing).
std::unique_ptr<port::BlobStore> open_blobs(const Home& home);

// The repository, to read commits and to remove what runs left.
Result<std::unique_ptr<port::Workspace>> open_repository(const Home& home);

// The Bernstein that holds the workspace now; nothing when none does.
std::optional<store::Owner> owner_of(const Home& home);

}  // namespace bernstein::cli
