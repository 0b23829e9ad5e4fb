// One update of many models of one shape, each on its own batch: what libtorch would take hundreds of small calls for.
//
// Compiled when a trainer starts, for its GPU, with these set:
//   HIDDEN  units of the input layer and of the LSTM, a multiple of 4, at most 256
//   INPUTS  inputs of a day
//
// A model is a lane. The days of its batch are rows, day by day: first the first days of all its windows, then the second
// days of those that have one. Windows are sorted by length, longest first, so the windows of a day are the first ones.
// All sums are taken in one order, so a lane's numbers depend on nothing beside it.

#define GATES (4 * HIDDEN)
// Windows that one block runs through all days.
#define WINDOWS 8
// Weights before those that dropout may drop, and how many may be.
#define BEFORE (HIDDEN * INPUTS + HIDDEN)
#define DROPPED (2 * GATES * HIDDEN)
#define AFTER (BEFORE + DROPPED)
#define WEIGHTS (AFTER + 2 * GATES + HIDDEN + 1)
#define OUTPUT (AFTER + 2 * GATES)

typedef unsigned long long u64;

// What the host says of a lane's update, in numbers of 32 bits, followed by the first row in the data of each window and,
// for each day and for the day after the last, by how many rows come before it. `packed.rs` writes it.
struct Lane {
    u64 masks;          // state of the stream that masks are drawn from
    int is_training;    // 0: nobody has this lane
    int targets;        // in the batch; 0: the gradient is 0
    int threshold;      // sixteen random bits below it drop a weight
    float keep;         // factor of the others
    float clip;         // the length that a longer gradient is cut to; 0: none
    float rate;
    float first;        // what the running means of Adam are divided by
    float second;
    float decay;
    int unused;
};
#define HEADER 12

struct Batch {
    const int *lanes;   // [L, width]
    int width;
    int windows;        // places for windows in each lane
    int days;
    int rows;           // places for rows in each lane
};

__device__ static const Lane &lane_of(const Batch &batch, int lane) {
    return *(const Lane *)(batch.lanes + (size_t)lane * batch.width);
}
__device__ static const int *starts_of(const Batch &batch, int lane) {
    return batch.lanes + (size_t)lane * batch.width + HEADER;
}
__device__ static const int *offsets_of(const Batch &batch, int lane) {
    return starts_of(batch, lane) + batch.windows;
}

// The sum of a value of each thread of a block of 256, for the first thread.
__device__ static double sum_of_block(double value) {
    __shared__ double sums[256];
    sums[threadIdx.x] = value;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    double sum = sums[0];
    __syncthreads();
    return sum;
}

// Factors of four weights that may be dropped: the `number`th four of them. As `masks.rs` draws them.
__device__ static void draw(const Lane &lane, int number, float *factors) {
    u64 bits = lane.masks + 0x9e3779b97f4a7c15ull * (u64)(number + 1);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ull;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebull;
    bits ^= bits >> 31;
    for (int place = 0; place < 4; place++)
        factors[place] = (int)((bits >> (16 * place)) & 0xffff) < lane.threshold ? 0.0f : lane.keep;
}

// Copies the days of a lane's batch; a place without a row holds zeros. Blocks: [parts, lanes] of 256 threads.
// data [S·D, INPUTS], target and weight [S·D] → x [L, rows, INPUTS], y and counts [L, rows]; outputs and before are
// [L, rows, HIDDEN], whose places without a row are set to zero.
extern "C" __global__ void gather(Batch batch, int warm_up, const float *data, const float *target, const float *weight,
                                  float *x, float *y, float *counts, float *outputs, float *before) {
    int lane = blockIdx.y;
    const int *starts = starts_of(batch, lane), *offsets = offsets_of(batch, lane);
    int used = offsets[batch.days];
    size_t base = (size_t)lane * batch.rows;
    for (int row = blockIdx.x * 32 + threadIdx.x / 8; row < batch.rows; row += 32 * gridDim.x) {
        size_t to = base + row;
        int part = threadIdx.x % 8;
        if (row >= used) {
            for (int i = part; i < INPUTS; i += 8)
                x[to * INPUTS + i] = 0.0f;
            for (int i = part; i < HIDDEN; i += 8)
                outputs[to * HIDDEN + i] = before[to * HIDDEN + i] = 0.0f;
            if (part == 0)
                y[to] = counts[to] = 0.0f;
            continue;
        }
        int low = 0, high = batch.days - 1;
        while (low < high) {
            int middle = (low + high + 1) / 2;
            if (offsets[middle] <= row)
                low = middle;
            else
                high = middle - 1;
        }
        size_t from = (size_t)starts[row - offsets[low]] + low;
        for (int i = part; i < INPUTS; i += 8)
            x[to * INPUTS + i] = data[from * INPUTS + i];
        if (part == 0) {
            y[to] = target[from];
            counts[to] = low < warm_up ? 0.0f : weight[from];
        }
    }
}

// The LSTM's weights of this update: dropped or scaled. Blocks: [parts, lanes] of 256 threads.
// weights [L, stride] → input and recurrent [L, GATES, HIDDEN], and the latter turned, [L, HIDDEN, GATES].
extern "C" __global__ void drop(Batch batch, int stride, const float *weights, float *input, float *recurrent,
                                float *turned) {
    // A tile of 32 gates and 32 units, turned, so that all of memory is read and written along its rows.
    __shared__ float tile[32][33];
    int lane = blockIdx.y;
    const Lane &at = lane_of(batch, lane);
    if (!at.is_training)
        return;
    const float *from = weights + (size_t)lane * stride + BEFORE;
    size_t base = (size_t)lane * GATES * HIDDEN;
    const int across = (HIDDEN + 31) / 32, tiles = (GATES + 31) / 32 * across;
    for (int item = blockIdx.x; item < 2 * tiles; item += gridDim.x) {
        int is_recurrent = item >= tiles, place = item % tiles;
        int first_gate = place / across * 32, first_unit = place % across * 32;
        int gate = first_gate + threadIdx.x / 8, unit = first_unit + threadIdx.x % 8 * 4;
        if (gate < GATES && unit < HIDDEN) {
            int weight = gate * HIDDEN + unit;
            float factors[4];
            draw(at, (is_recurrent * GATES * HIDDEN + weight) / 4, factors);
            float4 value = *(const float4 *)(from + is_recurrent * GATES * HIDDEN + weight);
            value = {value.x * factors[0], value.y * factors[1], value.z * factors[2], value.w * factors[3]};
            *(float4 *)((is_recurrent ? recurrent : input) + base + weight) = value;
            float *column = &tile[unit - first_unit][gate - first_gate];
            column[0] = value.x;
            column[33] = value.y;
            column[66] = value.z;
            column[99] = value.w;
        }
        __syncthreads();
        if (is_recurrent) {
            int turned_gate = first_gate + threadIdx.x % 32;
            for (int row = threadIdx.x / 32; row < 32; row += 8)
                if (turned_gate < GATES && first_unit + row < HIDDEN)
                    turned[base + (size_t)(first_unit + row) * GATES + turned_gate] = tile[row][threadIdx.x % 32];
        }
        __syncthreads();
    }
}

__device__ static float sigmoid(float value) { return 1.0f / (1.0f + expf(-value)); }

// A part of a matrix that blocks which run through days keep: each day reads all of it. `kept` says of how much there is
// room; the rest is read again every day.
#ifndef KEPT
extern __shared__ float kept_matrix[];
#define KEPT kept_matrix
#endif

// Adds products of rows of `values` with a column of `matrix` to sums: `count` rows of the column, `stride` apart.
template <int LENGTH>
__device__ static void add_products(float *sums, const float (*values)[LENGTH], int first, int count, const float *matrix,
                                    int stride) {
    for (int i = 0; i < count; i += 4) {
        float a = matrix[(size_t)i * stride], b = matrix[(size_t)(i + 1) * stride];
        float c = matrix[(size_t)(i + 2) * stride], d = matrix[(size_t)(i + 3) * stride];
#pragma unroll
        for (int window = 0; window < WINDOWS; window++) {
            float4 v = *(const float4 *)&values[window][first + i];
            sums[window] += v.x * a + v.y * b + v.z * c + v.w * d;
        }
    }
}

// The LSTM through all days, from zero states. Blocks: [windows / WINDOWS, lanes] of GATES threads.
// gates [L, rows, GATES] holds what comes from the inputs, and then the gates; cells, outputs and the outputs of the day
// before are [L, rows, HIDDEN].
extern "C" __global__ void __launch_bounds__(GATES) forward(Batch batch, int kept, const float *turned, float *gates,
                                                            float *cells, float *outputs, float *before) {
    alignas(16) __shared__ float output[WINDOWS][HIDDEN];
    __shared__ float cell[WINDOWS][HIDDEN];
    __shared__ float gate[WINDOWS][GATES];
    int lane = blockIdx.y, first_window = blockIdx.x * WINDOWS, column = threadIdx.x;
    const int *offsets = offsets_of(batch, lane);
    size_t base = (size_t)lane * batch.rows;
    const float *matrix = turned + (size_t)lane * HIDDEN * GATES + column;
    for (int place = threadIdx.x; place < WINDOWS * HIDDEN; place += blockDim.x)
        output[place / HIDDEN][place % HIDDEN] = cell[place / HIDDEN][place % HIDDEN] = 0.0f;
    // Units whose weights are kept. Each thread reads what it has written.
    for (int unit = 0; unit < kept; unit++)
        KEPT[unit * GATES + column] = matrix[unit * GATES];
    __syncthreads();
    for (int day = 0; day < batch.days; day++) {
        int running = offsets[day + 1] - offsets[day] - first_window;
        if (running <= 0)
            break;
        running = running < WINDOWS ? running : WINDOWS;
        size_t row = base + offsets[day] + first_window;
        float sums[WINDOWS];
#pragma unroll
        for (int window = 0; window < WINDOWS; window++)
            sums[window] = window < running ? gates[(row + window) * GATES + column] : 0.0f;
        if (day > 0) {
            add_products(sums, output, 0, kept, KEPT + column, GATES);
            add_products(sums, output, kept, HIDDEN - kept, matrix + kept * GATES, GATES);
        }
#pragma unroll
        for (int window = 0; window < WINDOWS; window++)
            gate[window][column] = sums[window];
        __syncthreads();
        for (int place = threadIdx.x; place < running * HIDDEN; place += blockDim.x) {
            int window = place / HIDDEN, unit = place % HIDDEN;
            size_t at = row + window;
            float in = sigmoid(gate[window][unit]), forget = sigmoid(gate[window][HIDDEN + unit]);
            float candidate = tanhf(gate[window][2 * HIDDEN + unit]), out = sigmoid(gate[window][3 * HIDDEN + unit]);
            float now = forget * cell[window][unit] + in * candidate;
            before[at * HIDDEN + unit] = output[window][unit];
            cell[window][unit] = cells[at * HIDDEN + unit] = now;
            output[window][unit] = outputs[at * HIDDEN + unit] = out * tanhf(now);
            float *opened = gates + at * GATES + unit;
            opened[0] = in;
            opened[HIDDEN] = forget;
            opened[2 * HIDDEN] = candidate;
            opened[3 * HIDDEN] = out;
        }
        __syncthreads();
    }
}

// Predictions, loss and their slopes, and the gradient of the output layer. Blocks: [lanes] of 256 threads.
// → slopes [L, rows] of the predictions, losses [L]; the places of gates without a row are set to zero. delta: where
// Huber's loss becomes linear; 0: squares.
extern "C" __global__ void output_layer(Batch batch, int stride, float delta, const float *weights,
                                        const float *outputs,
                                        const float *y, const float *counts, float *gates, float *slopes,
                                        double *losses, float *gradient) {
    int lane = blockIdx.x;
    const Lane &at = lane_of(batch, lane);
    int used = offsets_of(batch, lane)[batch.days];
    size_t base = (size_t)lane * batch.rows;
    const float *output = weights + (size_t)lane * stride + OUTPUT;
    float share = 1.0f / (float)(at.targets > 0 ? at.targets : 1);
    double loss = 0.0, bias = 0.0;
    for (int row = threadIdx.x; row < batch.rows; row += blockDim.x) {
        float slope = 0.0f;
        if (row < used) {
            float predicted = output[HIDDEN];
            const float *values = outputs + (base + row) * HIDDEN;
            for (int unit = 0; unit < HIDDEN; unit++)
                predicted += values[unit] * output[unit];
            float error = predicted - y[base + row], counted = error * error;
            slope = 2.0f * error;
            if (delta > 0.0f) {
                float size = fabsf(error);
                counted = size < delta ? 0.5f * error * error : delta * (size - 0.5f * delta);
                slope = size < delta ? error : copysignf(delta, error);
            }
            slope *= counts[base + row] * share;
            loss += (double)(counted * counts[base + row] * share);
            bias += (double)slope;
        }
        slopes[base + row] = slope;
    }
    loss = sum_of_block(loss);
    bias = sum_of_block(bias);
    float *to = gradient + (size_t)lane * stride + OUTPUT;
    if (threadIdx.x == 0) {
        losses[lane] = loss;
        to[HIDDEN] = (float)bias;
    }
    for (int unit = threadIdx.x; unit < HIDDEN; unit += blockDim.x) {
        float sum = 0.0f;
        for (int row = 0; row < used; row++)
            sum += slopes[base + row] * outputs[(base + row) * HIDDEN + unit];
        to[unit] = sum;
    }
    for (size_t place = (size_t)used * GATES + threadIdx.x; place < (size_t)batch.rows * GATES; place += blockDim.x)
        gates[base * GATES + place] = 0.0f;
}

// Back through all days. Blocks: [windows / WINDOWS, lanes] of GATES threads.
// gates [L, rows, GATES] holds the gates, and then the slopes of the sums that they were opened from.
extern "C" __global__ void __launch_bounds__(GATES) backward(Batch batch, int kept, int stride, const float *weights,
                                                             const float *recurrent, const float *cells,
                                                             const float *slopes, float *gates) {
    __shared__ float of_output[WINDOWS][HIDDEN];
    __shared__ float of_cell[WINDOWS][HIDDEN];
    alignas(16) __shared__ float of_gate[WINDOWS][GATES];
    int lane = blockIdx.y, first_window = blockIdx.x * WINDOWS;
    int unit = threadIdx.x % HIDDEN, quarter = threadIdx.x / HIDDEN;
    const int *offsets = offsets_of(batch, lane);
    size_t base = (size_t)lane * batch.rows;
    const float *output = weights + (size_t)lane * stride + OUTPUT;
    const float *matrix = recurrent + ((size_t)lane * GATES + quarter * HIDDEN) * HIDDEN + unit;
    for (int place = threadIdx.x; place < WINDOWS * HIDDEN; place += blockDim.x)
        of_output[place / HIDDEN][place % HIDDEN] = of_cell[place / HIDDEN][place % HIDDEN] = 0.0f;
    // Gates of each quarter whose weights are kept.
    for (int gate = 0; gate < kept; gate++)
        KEPT[gate * GATES + threadIdx.x] = matrix[gate * HIDDEN];
    __syncthreads();
    for (int day = batch.days - 1; day >= 0; day--) {
        int running = offsets[day + 1] - offsets[day] - first_window;
        if (running <= 0)
            continue;
        running = running < WINDOWS ? running : WINDOWS;
        size_t row = base + offsets[day] + first_window;
        for (int place = threadIdx.x; place < WINDOWS * HIDDEN; place += blockDim.x) {
            int window = place / HIDDEN, here = place % HIDDEN;
            float *slope = &of_gate[window][here];
            if (window >= running) {
                slope[0] = slope[HIDDEN] = slope[2 * HIDDEN] = slope[3 * HIDDEN] = 0.0f;
                continue;
            }
            size_t at = row + window;
            float *opened = gates + at * GATES + here;
            float in = opened[0], forget = opened[HIDDEN], candidate = opened[2 * HIDDEN], out = opened[3 * HIDDEN];
            float squashed = tanhf(cells[at * HIDDEN + here]);
            float earlier = 0.0f;
            if (day > 0)
                earlier = cells[(base + offsets[day - 1] + first_window + window) * HIDDEN + here];
            float rising = of_output[window][here] + slopes[at] * output[here];
            float carried = of_cell[window][here] + rising * out * (1.0f - squashed * squashed);
            opened[0] = slope[0] = carried * candidate * in * (1.0f - in);
            opened[HIDDEN] = slope[HIDDEN] = carried * earlier * forget * (1.0f - forget);
            opened[2 * HIDDEN] = slope[2 * HIDDEN] = carried * in * (1.0f - candidate * candidate);
            opened[3 * HIDDEN] = slope[3 * HIDDEN] = rising * squashed * out * (1.0f - out);
            of_cell[window][here] = carried * forget;
        }
        __syncthreads();
        if (day == 0)
            break;
        float sums[WINDOWS];
#pragma unroll
        for (int window = 0; window < WINDOWS; window++)
            sums[window] = 0.0f;
        add_products(sums, of_gate, quarter * HIDDEN, kept, KEPT + threadIdx.x, GATES);
        add_products(sums, of_gate, quarter * HIDDEN + kept, HIDDEN - kept, matrix + kept * HIDDEN, HIDDEN);
        __syncthreads();
        // The four parts of each sum, in the place of what they were made of.
#pragma unroll
        for (int window = 0; window < WINDOWS; window++)
            of_gate[window][quarter * HIDDEN + unit] = sums[window];
        __syncthreads();
        for (int place = threadIdx.x; place < WINDOWS * HIDDEN; place += blockDim.x) {
            const float *parts = &of_gate[place / HIDDEN][place % HIDDEN];
            of_output[place / HIDDEN][place % HIDDEN] =
                (parts[0] + parts[HIDDEN]) + (parts[2 * HIDDEN] + parts[3 * HIDDEN]);
        }
        __syncthreads();
    }
}

// The gradient of dropped weights is 0, that of the others scaled. Blocks: [parts, lanes] of 256 threads.
// gradient [L, stride] → squares [L, parts], the sums of its squares.
extern "C" __global__ void drop_gradient(Batch batch, int stride, float *gradient, double *squares) {
    int lane = blockIdx.y;
    const Lane &at = lane_of(batch, lane);
    float *here = gradient + (size_t)lane * stride;
    double sum = 0.0;
    int first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
    if (at.is_training) {
        for (int four = first; four < DROPPED / 4; four += step) {
            float factors[4];
            draw(at, four, factors);
            float4 *at_four = (float4 *)(here + BEFORE) + four;
            float4 value = *at_four;
            value = {value.x * factors[0], value.y * factors[1], value.z * factors[2], value.w * factors[3]};
            *at_four = value;
            sum += (double)(value.x * value.x + value.y * value.y + value.z * value.z + value.w * value.w);
        }
        for (int other = first; other < WEIGHTS - DROPPED; other += step) {
            float value = here[other < BEFORE ? other : other + DROPPED];
            sum += (double)value * value;
        }
    }
    sum = sum_of_block(sum);
    if (threadIdx.x == 0)
        squares[(size_t)lane * gridDim.x + blockIdx.x] = sum;
}

// The optimizer's step, and what the update adds to the epoch's sums. Blocks: [parts, lanes] of 256 threads.
// weights, gradient, mean and other (the optimizer's running means) are [L, stride], loss_sums and norm_sums [L].
extern "C" __global__ void step(Batch batch, int stride, int parts, int is_adam, const double *squares,
                                const double *losses, const float *gradient, float *weights, float *mean, float *other,
                                double *loss_sums, double *norm_sums) {
    int lane = blockIdx.y;
    const Lane &at = lane_of(batch, lane);
    if (!at.is_training)
        return;
    double length = 0.0;
    for (int part = 0; part < parts; part++)
        length += squares[(size_t)lane * parts + part];
    length = sqrt(length);
    if (blockIdx.x == 0 && threadIdx.x == 0 && at.targets > 0) {
        loss_sums[lane] += losses[lane];
        norm_sums[lane] += length;
    }
    float factor = 1.0f;
    if (at.clip > 0.0f) {
        factor = at.clip / ((float)length + 1e-6f);
        factor = factor < 1.0f ? factor : 1.0f;
    }
    size_t base = (size_t)lane * stride;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < WEIGHTS; i += gridDim.x * blockDim.x) {
        size_t w = base + i;
        float g = gradient[w] * factor;
        if (is_adam) {
            float m = mean[w] + (g - mean[w]) * 0.1f;
            float v = other[w] + (g * g - other[w]) * 0.001f;
            mean[w] = m;
            other[w] = v;
            float weight = weights[w] * (1.0f - at.rate * at.decay);
            weights[w] = weight - m / (sqrtf(v) / sqrtf(at.second) + 1e-8f) * (at.rate / at.first);
        } else {
            float v = mean[w] + (g * g - mean[w]) * 0.1f;
            float delta = sqrtf((other[w] + 1e-6f) / (v + 1e-6f)) * g;
            mean[w] = v;
            other[w] = other[w] + (delta * delta - other[w]) * 0.1f;
            weights[w] -= at.rate * delta;
        }
    }
}
