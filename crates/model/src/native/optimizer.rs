//! The optimizers natively: as `model::optimizer`.

use efflux_job as job;
use efflux_job::Training;
use efflux_numerics::single;

use super::aligned::Aligned;
use super::kernels::AdamStep;
use super::layout::Layout;
use super::level::Level;
use super::model::NativeModel;
use crate::Shape;
use crate::optimizer::{ADADELTA_NAMES, ADAM_NAMES, BETAS, DECAY, correction};

/// The rule of a trial and its memory.
#[derive(Debug)]
pub struct NativeOptimizer {
    level: Level,
    layout: Layout,
    rule: Rule,
    memory: [Aligned; 2],
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Adadelta,
    /// With this weight decay.
    Adam(f64),
}

impl NativeOptimizer {
    /// The state before the first step of a model of this shape.
    pub fn new(training: &Training, shape: Shape, level: Level) -> Self {
        let layout = Layout::of(shape, level);
        let numbers = layout.weights();
        let zeros = || Aligned::zeros(numbers);
        Self {
            level,
            layout,
            rule: match training.optimizer {
                job::Optimizer::Adadelta => Rule::Adadelta,
                job::Optimizer::Adam => Rule::Adam(0.0),
                job::Optimizer::AdamW { decay } => Rule::Adam(decay.unwrap_or(DECAY)),
            },
            memory: [zeros(), zeros()],
        }
    }

    /// One step, the `number`th from 1, along the model's gradient.
    pub fn step(&mut self, model: &mut NativeModel, rate: f64, number: u64) {
        let (weights, gradient) = model.weights_and_gradient();
        let [first, second] = &mut self.memory;
        let memory = [&mut first[..], &mut second[..]];
        match self.rule {
            Rule::Adadelta => self.level.adadelta(weights, gradient, memory, single(rate)),
            Rule::Adam(decay) => {
                let [first, second] = BETAS.map(|beta| correction(beta, number));
                let step = AdamStep {
                    rate: single(rate / first),
                    scale: single(second.sqrt()),
                    kept: single(1.0 - rate * decay),
                };
                // Weights of single sites have a penalty of their own and do not decay.
                let (weights, own_weights) = weights.split_at_mut(self.layout.common());
                let (gradient, own_gradient) = gradient.split_at(weights.len());
                let [first, second] = memory;
                let (first, own_first) = first.split_at_mut(weights.len());
                let (second, own_second) = second.split_at_mut(weights.len());
                self.level.adam(weights, gradient, [first, second], step);
                let own = AdamStep { kept: 1.0, ..step };
                let memory = [own_first, own_second];
                self.level.adam(own_weights, own_gradient, memory, own);
            }
        }
    }

    /// Its running means, `[N]` each in torch's order, with torch's names.
    pub fn state(&self) -> [(&'static str, Vec<f32>); 2] {
        let names = match self.rule {
            Rule::Adadelta => ADADELTA_NAMES,
            Rule::Adam(_) => ADAM_NAMES,
        };
        [0, 1].map(|part| (names[part], self.layout.flat(&self.memory[part])))
    }

    /// Takes over what [`NativeOptimizer::state`] gave, in its order.
    pub(crate) fn remember(&mut self, state: &[Vec<f32>; 2]) {
        self.memory = [0, 1].map(|part| self.layout.pad(&state[part]));
    }
}
