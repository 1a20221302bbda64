// expect: neither the program nor the library's example needs this public header
#pragma once
