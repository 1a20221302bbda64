// expect: only its own layer needs this public header
#pragma once
