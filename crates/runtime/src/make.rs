//! What shards make of what comes out of them.

use ensue_engine::Outputs;

/// What each shard of a [`Sharded`](crate::Sharded) makes of what comes out of it, on its own thread, before anything crosses to
/// the caller's. Each shard has a clone of its own.
///
/// [`Events`] leaves outputs as they are. What holds no events, such as lines of text, is worth making there: the work is
/// shared among the shards, and an event is given up on the thread that last used it.
///
/// ```
/// use ensue_engine::Outputs;
/// use ensue_runtime::Make;
///
/// /// How many matches there are.
/// #[derive(Clone)]
/// struct Count;
///
/// impl<E> Make<E> for Count {
///     type Made = usize;
///     type Out = usize;
///
///     fn make(&mut self, outputs: &mut Outputs<E>) -> usize {
///         std::mem::take(outputs).matches.len()
///     }
///
///     fn put_together(made: Vec<usize>, out: &mut usize) {
///         *out += made.into_iter().sum::<usize>();
///     }
/// }
/// ```
pub trait Make<E>: Clone + Send + 'static {
    /// What it makes of the outputs of one shard.
    type Made: Send + 'static;

    /// Where what the shards have made is put together for the caller, who drains it.
    type Out;

    /// Makes something of outputs, and leaves none. They come in their order.
    fn make(&mut self, outputs: &mut Outputs<E>) -> Self::Made;

    /// The same where there is one shard, on the caller's thread: puts what it makes behind what is there.
    fn make_here(&mut self, outputs: &mut Outputs<E>, out: &mut Self::Out) {
        let made = self.make(outputs);
        Self::put_together(vec![made], out);
    }

    /// Puts what was made for the same stretch of time behind what is there. What comes first here comes first where times are
    /// equal.
    fn put_together(made: Vec<Self::Made>, out: &mut Self::Out);
}

/// Outputs as they come, with their events.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Events;

impl<E: Send + Sync + 'static> Make<E> for Events {
    type Made = Outputs<E>;
    type Out = Outputs<E>;

    fn make(&mut self, outputs: &mut Outputs<E>) -> Outputs<E> {
        std::mem::take(outputs)
    }

    fn put_together(made: Vec<Outputs<E>>, out: &mut Outputs<E>) {
        Outputs::merge(made, out);
    }
}
