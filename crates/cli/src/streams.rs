//! Which stream an input feeds.

use ensue_model::schema::Stream;
use ensue_model::{Patterns, StreamId};

use crate::failure::Failure;
use crate::input::Input;

/// The stream that each input feeds. Each stream that a pattern reads needs one.
pub(crate) fn streams_of(inputs: &[Input], patterns: &Patterns) -> Result<Vec<StreamId>, Failure> {
    let streams = match inputs {
        [Input { stream: None, .. }] => Ok(vec![only_stream(patterns)?]),
        _ => inputs.iter().map(|input| stream_of(input, patterns)).collect(),
    };
    let streams = streams.and_then(|streams| each_once(streams, inputs, patterns))?;
    match read(patterns).find(|(stream, _)| !streams.contains(stream)) {
        None => Ok(streams),
        Some((stream, pattern)) => {
            let name = name(patterns, stream);
            let message = format!("pattern `{pattern}` reads stream `{name}`, which has no input: say -i {name}=FILE");
            Err(Failure::Call(message))
        }
    }
}

/// The stream that an input names.
fn stream_of(input: &Input, patterns: &Patterns) -> Result<StreamId, Failure> {
    let Some(name) = &input.stream else {
        let message = format!("no stream is named for {}: with several inputs say -i STREAM=FILE for each", input.name);
        return Err(Failure::Call(message));
    };
    match patterns.stream(name) {
        Some(stream) if !get(patterns, stream).is_emitted => Ok(stream),
        Some(_) => Err(Failure::Call(format!("stream `{name}` takes no input: its events are what a pattern makes"))),
        None => Err(Failure::Call(format!("no stream `{name}` for {}: {}", input.name, fed(patterns)))),
    }
}

/// The stream of an input that is the only one and names none: the only one that patterns read.
fn only_stream(patterns: &Patterns) -> Result<StreamId, Failure> {
    let mut streams = read(patterns).map(|(stream, _)| stream);
    let first = streams.next().unwrap_or_default();
    match streams.all(|stream| stream == first) {
        true => Ok(first),
        false => {
            let message = format!("the patterns read several streams: say -i STREAM=FILE for each; {}", fed(patterns));
            Err(Failure::Call(message))
        }
    }
}

/// The streams, of which none may have two inputs.
fn each_once(streams: Vec<StreamId>, inputs: &[Input], patterns: &Patterns) -> Result<Vec<StreamId>, Failure> {
    for (second, stream) in streams.iter().enumerate() {
        if let Some(first) = streams[..second].iter().position(|other| other == stream) {
            let (first, second) = (&inputs[first].name, &inputs[second].name);
            let name = name(patterns, *stream);
            return Err(Failure::Call(format!("stream `{name}` has two inputs, {first} and {second}")));
        }
    }
    Ok(streams)
}

/// The streams that patterns read and inputs feed, each with a pattern that reads it.
fn read(patterns: &Patterns) -> impl Iterator<Item = (StreamId, &str)> {
    let read = patterns.patterns.iter().flat_map(|pattern| pattern.from.iter().map(|stream| (*stream, &*pattern.name)));
    read.filter(|(stream, _)| !get(patterns, *stream).is_emitted)
}

/// The streams that inputs can feed, in words.
fn fed(patterns: &Patterns) -> String {
    let fed = patterns.streams.iter().filter(|stream| !stream.is_emitted);
    let names: Vec<String> = fed.filter_map(|stream| Some(format!("`{}`", stream.name.as_ref()?))).collect();
    match names.as_slice() {
        [] => "the patterns name none".to_owned(),
        [only] => format!("there is only {only}"),
        names => format!("the streams are {}", names.join(", ")),
    }
}

/// The name of a stream; where nothing is declared, an input that is the only one gives it.
fn name(patterns: &Patterns, stream: StreamId) -> &str {
    get(patterns, stream).name.as_deref().unwrap_or("events")
}

fn get(patterns: &Patterns, stream: StreamId) -> &Stream {
    &patterns.streams[usize::from(stream.0)]
}
