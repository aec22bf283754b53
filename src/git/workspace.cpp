#include "bernstein/git/workspace.hpp"

#include <git2.h>

#include <mutex>

#include "capture.hpp"
#include "landing.hpp"
#include "layout.hpp"
#include "look.hpp"
#include "session.hpp"
#include "setup_files.hpp"
#include "setup_template.hpp"
#include "sync.hpp"

namespace bernstein::git {
namespace {

// Every call opens its own handles, so calls share nothing but the locks around references and the user's checkout: a
// lock file of ours that is there while we hold these was left by a process that is no more.
class GitWorkspace final : public port::Workspace {
 public:
  explicit GitWorkspace(Layout layout) : layout_(std::move(layout)) {}

  Result<std::string> tip(const std::string& target) override {
    BERNSTEIN_TRY(const Repository users, open_repository(layout_));
    BERNSTEIN_TRY(const Tip tip, find_tip(users.get(), target));
    return to_hex(tip.id);
  }
  Result<std::string> create_session(const port::SessionSpec& spec) override {
    return git::create_session(layout_, spec, refs_);
  }
  Result<bool> reuse_setup(const port::SetupSpec& spec) override { return git::reuse_setup(layout_, spec); }
  Status keep_setup(const port::SetupSpec& spec) override { return git::keep_setup(layout_, spec); }
  Result<port::Captured> capture(const port::CaptureSpec& spec) override { return git::capture(layout_, spec, refs_); }
  Result<port::CandidateOutcome> build_candidate(const port::CandidateSpec& spec) override {
    return git::build_candidate(layout_, spec, refs_);
  }
  Status drop_candidate(const std::string& name) override { return git::drop_candidate(layout_, name, refs_); }
  Result<std::string> checkout_tree(const port::CheckoutSpec& spec) override {
    return git::checkout_tree(layout_, spec);
  }
  Result<std::vector<port::TreeFile>> list_tree(const std::string& tree) override {
    return git::list_tree(layout_, tree);
  }
  Result<std::string> read_file(const std::string& tree, const std::string& path) override {
    return git::read_file(layout_, tree, path);
  }
  Result<std::string> blob_id(const std::string& tree, const std::string& path) override {
    return git::blob_id(layout_, tree, path);
  }
  Result<port::LandOutcome> land(const port::LandSpec& spec) override { return git::land(layout_, spec, refs_); }
  Result<port::RevertOutcome> revert(const port::RevertSpec& spec) override {
    return git::revert(layout_, spec, refs_);
  }
  Result<std::vector<std::string>> probe(const port::CaptureSpec& session, const std::string& commit) override {
    return git::probe(layout_, session, commit);
  }
  Result<port::SyncResult> sync_checkout(const std::string& target, const std::string& from,
                                         const std::string& to) override {
    const std::lock_guard lock(checkout_);
    return git::sync_checkout(layout_, target, from, to);
  }
  Status remove_session(const std::string& name) override { return git::remove_session(layout_, name, refs_); }
  Status remove_checkout(const std::string& name) override { return git::remove_checkout(layout_, name); }
  Status write_anchor(const std::string& run, const std::string& text, Micros at_us) override {
    return git::write_anchor(layout_, run, text, at_us, refs_);
  }
  Result<std::vector<port::Ancestor>> history(const std::string& commit, std::size_t max) override {
    return git::history(layout_, commit, max);
  }
  Result<std::string> diff(const std::string& from, const std::string& to) override {
    return git::diff(layout_, from, to);
  }

 private:
  Layout layout_;
  std::mutex refs_;
  std::mutex checkout_;
};

}  // namespace

std::string libgit2_version() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  git_libgit2_version(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::vector<std::string> worktree_includes(const std::string& directory) {
  const Result<Found> found = find_repository(directory);
  if (!found || found->layout.bare) return {};
  const Result<Fd> checkout = open_directory(found->layout.root);
  const Result<Repository> users = open_repository(found->layout);
  if (!checkout || !users) return {};
  return included_paths(users->get(), *checkout);
}

Result<std::unique_ptr<port::Workspace>> open_workspace(const std::string& directory) {
  BERNSTEIN_TRY(Found found, find_repository(directory));
  return std::unique_ptr<port::Workspace>(std::make_unique<GitWorkspace>(std::move(found.layout)));
}

}  // namespace bernstein::git
