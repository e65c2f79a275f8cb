// The kernels: SKREG_KERNEL(name, type), for each function template `name` in the files beside this one and in gemm.hpp
// and image.hpp.
//
// Included where a table of them is declared (kernels.hpp) and where it is filled (kernels.cpp). So a kernel cannot
// land at another one's place, nor be missing. No include guard: both define SKREG_KERNEL for themselves.

SKREG_KERNEL(product, void(const Product<T>&))
SKREG_KERNEL(sparse_forward, void(const SparseRows<T>&, const T* w, int64_t n_columns, T* z))
SKREG_KERNEL(sparse_backward,
             void(const SparseRows<T>&, const T* delta, int64_t n_columns, T* gradient, T* column_sums))

// Weighted mean and (biased) variance of each column.
SKREG_KERNEL(moments, void(const T* x, int64_t n_rows, int64_t n_columns, const T* share, T* mean, T* variance))
SKREG_KERNEL(inverse_roots, void(const T* variance, int64_t n, T epsilon, T* out))  // 1 / sqrt(variance + epsilon)
SKREG_KERNEL(normalize, void(T* x, int64_t ld, Tile, const T* mean, const T* inverse_std))
// sum(delta) and sum(delta * x_hat) of each column, added to what the outputs hold.
SKREG_KERNEL(norm_sums, void(const T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, T* sum, T* sum_x_hat))
// delta = scale * inverse_std * (delta - share_i * (sum + x_hat * sum_x_hat)); share null: the second term is absent.
SKREG_KERNEL(norm_backward, void(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* share,
                                 const T* scale, const T* inverse_std, const T* sum, const T* sum_x_hat))

// Each row of x + bias on the tile, which spans whole rows: minus its mean, over its standard deviation.
SKREG_KERNEL(normalize_rows, void(T* x, int64_t ld, Tile, const T* bias, T epsilon, T* inverse_std))
// delta = inverse_std_i * (d - mean(d) - x_hat * mean(d * x_hat)) with d = delta * scale, means over the row.
SKREG_KERNEL(normalize_rows_backward,
             void(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* scale, const T* inverse_std))

// On a tile: out = factor * (x - pivot) + base, y += x, y *= x.
SKREG_KERNEL(modulate, void(const T* x, const T* factor, T pivot, T base, T* out, int64_t ld, Tile))
SKREG_KERNEL(add, void(T* y, const T* x, int64_t ld, Tile))
SKREG_KERNEL(multiply, void(T* y, const T* x, int64_t ld, Tile))

// Each with the options that are its own.
SKREG_KERNEL(squared_error, double(const LossBatch<T>&))
SKREG_KERNEL(absolute_error, double(const LossBatch<T>&))
SKREG_KERNEL(huber, double(const LossBatch<T>&, T threshold))
SKREG_KERNEL(quantile, double(const LossBatch<T>&, const T* level))  // one an output
SKREG_KERNEL(poisson, double(const LossBatch<T>&))
// Their gradient is that of the targets (1 - smoothing) y + smoothing / number of classes.
SKREG_KERNEL(binary_log_loss, double(const LossBatch<T>&, T smoothing))
SKREG_KERNEL(softmax_log_loss, double(const LossBatch<T>&, T smoothing))

// In place: raw outputs, or other numbers, become those of an output activation.
SKREG_KERNEL(to_exponential, void(T* z, int64_t n))
SKREG_KERNEL(to_logistic, void(T* z, int64_t n))
SKREG_KERNEL(to_softmax, void(T* z, int64_t n_rows, int64_t n_columns))

SKREG_KERNEL(sgd, void(T* w, T* velocity, const T* gradient, int64_t n, T rate, T momentum, bool nesterov))
SKREG_KERNEL(adam, void(T* w, T* m, T* v, const T* gradient, int64_t n, T rate, T beta_1, T one_minus_beta_1, T beta_2,
                        T one_minus_beta_2, T epsilon))
// rate / (sqrt(v) + epsilon)
SKREG_KERNEL(adam_metric, void(const T* v, int64_t n, T rate, T epsilon, T* metric))

SKREG_KERNEL(sum_of_squares, double(const T* w, int64_t n))
SKREG_KERNEL(sum_of_magnitudes, double(const T* w, int64_t n))
// y += share * (x - y)
SKREG_KERNEL(approach, void(T* y, const T* x, int64_t n, T share))
SKREG_KERNEL(add_scaled, void(T* y, const T* x, int64_t n, T factor))
SKREG_KERNEL(scale, void(T* w, int64_t n, T factor))
// By metric_i * strength.
SKREG_KERNEL(soft_threshold, void(T* w, const T* metric, int64_t n, T strength))
// Prox of strength * ||w|| in the diagonal metric: a whole group shrinks, or becomes zero.
SKREG_KERNEL(group_threshold, void(T* w, const T* metric, int64_t n, T strength))
// Rescales each column of w (n_rows x n_columns) whose norm is above `largest`; scratch holds n_columns numbers.
SKREG_KERNEL(limit_columns, void(T* w, int64_t n_rows, int64_t n_columns, T largest, T* scratch))
SKREG_KERNEL(all_finite, bool(const T* w, int64_t n))

// 16 random bits for each of n units; out has room for n rounded up to a multiple of 128.
SKREG_KERNEL(random_bits, void(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, uint16_t* out))
SKREG_KERNEL(drop, void(T* x, int64_t n, const Drop<T>&))
// Numbers uniform in the open interval (0, 1), and normal ones, each from 32 random bits.
SKREG_KERNEL(uniforms, void(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, T* out))
SKREG_KERNEL(normals, void(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, T mean, T deviation, T* out))

SKREG_KERNEL(warp, void(const Warp<T>&))
SKREG_KERNEL(smooth, void(const Smooth<T>&))
