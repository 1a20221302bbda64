#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace sae {

/// While it lives, root is the user nobody: permissions mean nothing to root.
class OrdinaryUser {
 public:
  OrdinaryUser() : user_(geteuid()) { become(user_ == 0 ? 65534 : user_); }
  ~OrdinaryUser() { become(user_); }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

 private:
  static void become(uid_t user) { EXPECT_EQ(seteuid(user), 0); }

  uid_t user_;
};

}  // namespace sae
