// The attributes of Hdf5File.

#include "hdf5_state.hpp"

namespace sae {
namespace {

std::string place(const std::string& object, const std::string& name) {
  return fmt::format("attribute '{}' of {}", name, object);
}

}  // namespace

bool Hdf5File::has_attribute(const std::string& object, const std::string& name) const {
  if (!exists(object)) return false;
  return state_->check(
             H5Aexists_by_name(state_->file.id(), object.c_str(), name.c_str(), H5P_DEFAULT),
             "H5Aexists_by_name", place(object, name)) > 0;
}

Hdf5File::State::Attribute Hdf5File::State::attribute(const std::string& object,
                                                      const std::string& name) const {
  const std::string where = place(object, name);
  Attribute result;
  result.handle =
      own(H5Aopen_by_name(file.id(), object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
          "H5Aopen_by_name", where, H5Aclose);
  result.type = own(H5Aget_type(result.handle.id()), "H5Aget_type", where, H5Tclose);
  const auto space = own(H5Aget_space(result.handle.id()), "H5Aget_space", where, H5Sclose);
  if (check(H5Sget_simple_extent_npoints(space.id()), "H5Sget_simple_extent_npoints", where) != 1) {
    fail(where, "it is not a single value");
  }
  return result;
}

std::string Hdf5File::read_string(const std::string& object, const std::string& name) const {
  const std::string where = place(object, name);
  const State::Attribute attribute = state_->attribute(object, name);
  const hid_t stored = attribute.type.id();
  if (H5Tget_class(stored) != H5T_STRING) state_->fail(where, "it is not a text");

  if (state_->check(H5Tis_variable_str(stored), "H5Tis_variable_str", where) > 0) {
    const auto type = state_->own(H5Tcopy(H5T_C_S1), "H5Tcopy", where, H5Tclose);
    state_->check(H5Tset_size(type.id(), H5T_VARIABLE), "H5Tset_size", where);
    state_->check(H5Tset_cset(type.id(), H5Tget_cset(stored)), "H5Tset_cset", where);
    char* text = nullptr;
    state_->check(H5Aread(attribute.handle.id(), type.id(), &text), "H5Aread", where);
    std::string result = text == nullptr ? "" : text;
    H5free_memory(text);
    return result;
  }

  const std::size_t size = H5Tget_size(stored);
  state_->check_claim(where, {}, size);
  std::string result(size, '\0');
  state_->check(H5Aread(attribute.handle.id(), stored, result.data()), "H5Aread", where);
  if (H5Tget_strpad(stored) == H5T_STR_SPACEPAD) {
    return result.substr(0, result.find_last_not_of(' ') + 1);
  }
  return result.c_str();  // Up to the first NUL, or all of it.
}

std::int64_t Hdf5File::read_integer(const std::string& object, const std::string& name) const {
  const State::Attribute attribute = state_->attribute(object, name);
  if (H5Tget_class(attribute.type.id()) != H5T_INTEGER) {
    state_->fail(place(object, name), "it is not an integer");
  }
  std::int64_t value = 0;
  state_->check(H5Aread(attribute.handle.id(), H5T_NATIVE_INT64, &value), "H5Aread",
                place(object, name));
  return value;
}

double Hdf5File::read_real(const std::string& object, const std::string& name) const {
  const State::Attribute attribute = state_->attribute(object, name);
  const H5T_class_t kind = H5Tget_class(attribute.type.id());
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
    state_->fail(place(object, name), "it is not a number");
  }
  double value = 0;
  state_->check(H5Aread(attribute.handle.id(), H5T_NATIVE_DOUBLE, &value), "H5Aread",
                place(object, name));
  return value;
}

void Hdf5File::State::write_attribute(const std::string& object, const std::string& name,
                                      hid_t type_in_file, hid_t type_in_memory,
                                      const void* value) const {
  const std::string where = place(object, name);
  if (check(H5Aexists_by_name(file.id(), object.c_str(), name.c_str(), H5P_DEFAULT),
            "H5Aexists_by_name", where) > 0) {
    check(H5Adelete_by_name(file.id(), object.c_str(), name.c_str(), H5P_DEFAULT),
          "H5Adelete_by_name", where);
  }
  const auto space = own(H5Screate(H5S_SCALAR), "H5Screate", where, H5Sclose);
  const auto attribute =
      own(H5Acreate_by_name(file.id(), object.c_str(), name.c_str(), type_in_file, space.id(),
                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          "H5Acreate_by_name", where, H5Aclose);
  check(H5Awrite(attribute.id(), type_in_memory, value), "H5Awrite", where);
}

void Hdf5File::write_string(const std::string& object, const std::string& name,
                            const std::string& value) {
  const std::string where = place(object, name);
  // Of variable length, since h5py gives strings of fixed length as bytes.
  const auto type = state_->own(H5Tcopy(H5T_C_S1), "H5Tcopy", where, H5Tclose);
  state_->check(H5Tset_size(type.id(), H5T_VARIABLE), "H5Tset_size", where);
  state_->check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "H5Tset_cset", where);
  const char* text = value.c_str();
  state_->write_attribute(object, name, type.id(), type.id(), &text);
}

void Hdf5File::write_integer(const std::string& object, const std::string& name,
                             std::int64_t value) {
  state_->write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5File::write_real(const std::string& object, const std::string& name, double value) {
  state_->write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

}  // namespace sae
