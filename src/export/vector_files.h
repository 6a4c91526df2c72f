// Embeddings in the files that other programs read. Each file is whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "export/fasta.h"
#include "export/file_names.h"
#include "export/vectors.h"

namespace pleat {

// All of them throw Error(cannot_create), also where a file is in the way and `overwrite` does not allow it; Error(io);
// Error(retry); Error(bad_input) when the results are damaged; Stopped. Memory grows with the number of records only.

// HDF5, one dataset per item at the root: [D], or [L, D] for residues, in the source's type, with the attribute
// original_id; root attribute model_name. This is what bio_embeddings, EAT, ProtSpace and UniProt's files have in
// common. A key is a name in HDF5: '/' becomes '_', as does a lone '.', and later ones of equal name get "_2", "_3",
// ...
void write_vectors_h5(const VectorSource& source, const std::filesystem::path& file, bool overwrite);

// HDF5 as scikit-bio's format "embed" 1.0: embedding [rows, D] float32, id (the sequences' letters, end to end, without
// chain breaks), idptr (where each ends), and for vectors of whole sequences embedding_ptr.
void write_vectors_skbio(const VectorSource& source, const std::filesystem::path& file, bool overwrite);

// A zip of NumPy arrays, by the names of write_vectors_h5(): numpy.load(FILE)[key].
void write_vectors_npz(const VectorSource& source, const std::filesystem::path& file, bool overwrite);

inline constexpr const char* numpy_ids_file = "ids.txt";
// In a folder, made where needed: embeddings.npy [rows, D], ids.txt with a key a line (see one_line()), and for
// residues offsets.npy [items + 1]. Returns the first of them.
std::filesystem::path write_vectors_npy(const VectorSource& source, const std::filesystem::path& folder,
                                        bool overwrite);

// A header, then a line per row: the key, of residues also chain, position in it and letter, then D numbers, each as
// short as leads back to the same float32. Fields are quoted as RFC 4180 says.
void write_vectors_csv(const VectorSource& source, const TextSink& sink);

// Names for the items' keys in HDF5 and zip files, in their order.
class VectorNames {
 public:
  [[nodiscard]] std::string next(std::string_view key);

 private:
  UniqueNames names_;
};

}  // namespace pleat
