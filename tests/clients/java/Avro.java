import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.Incompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

/**
 * Java Avro as a service on standard input and output, for tests of the schema registry: a line with tabs in, one out.
 *
 * schema TEXT                  the text that it writes, the parsing canonical form, its fingerprint
 * referring TEXT REFERENCE...  the text that it writes without the references
 * compare READER WRITER        compatible, or kind, place and message of each incompatibility
 * value SCHEMA HEX             the value in Avro's JSON, and the bytes that it writes of it
 *
 * "error" and a sentence in place of all of it where it refuses.
 */
@SuppressWarnings("deprecation") // Confluent's registry writes schemas so.
final class Avro {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            List<String> answer = new ArrayList<>();
            try {
                answer(line.split("\t", -1), answer);
            } catch (Exception | StackOverflowError refusal) {
                answer = List.of("error", String.valueOf(refusal).replaceAll("\\s+", " "));
            }
            out.println(String.join("\t", answer));
        }
        out.flush();
    }

    private static void answer(String[] question, List<String> answer) throws Exception {
        switch (question[0]) {
            case "schema": {
                Schema schema = parse(question[1]);
                answer.add(schema.toString());
                answer.add(SchemaNormalization.toParsingForm(schema));
                answer.add(Long.toHexString(SchemaNormalization.parsingFingerprint64(schema)));
                break;
            }
            case "referring": {
                Schema.Parser parser = new Schema.Parser();
                List<Schema> references = new ArrayList<>();
                for (int at = 2; at < question.length; at++) {
                    references.add(parser.parse(question[at]));
                }
                answer.add(parser.parse(question[1]).toString(references, false));
                break;
            }
            case "compare": {
                var pair = SchemaCompatibility.checkReaderWriterCompatibility(parse(question[1]), parse(question[2]));
                for (Incompatibility found : pair.getResult().getIncompatibilities()) {
                    answer.add(found.getType() + " " + found.getLocation() + " " + found.getMessage());
                }
                if (answer.isEmpty()) {
                    answer.add(pair.getType() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE ? "compatible" : "?");
                }
                break;
            }
            case "value":
                value(parse(question[1]), HexFormat.of().parseHex(question[2]), answer);
                break;
            default:
                throw new IllegalArgumentException(question[0]);
        }
    }

    private static void value(Schema schema, byte[] bytes, List<String> answer) throws Exception {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
        Object value = new GenericDatumReader<>(schema).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IllegalArgumentException("bytes follow the value");
        }
        GenericDatumWriter<Object> writer = new GenericDatumWriter<>(schema);
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        JsonEncoder jsonEncoder = EncoderFactory.get().jsonEncoder(schema, json);
        writer.write(value, jsonEncoder);
        jsonEncoder.flush();
        ByteArrayOutputStream binary = new ByteArrayOutputStream();
        BinaryEncoder binaryEncoder = EncoderFactory.get().binaryEncoder(binary, null);
        writer.write(value, binaryEncoder);
        binaryEncoder.flush();
        answer.add(json.toString(StandardCharsets.UTF_8));
        answer.add(HexFormat.of().formatHex(binary.toByteArray()));
    }

    private static Schema parse(String text) {
        return new Schema.Parser().parse(text);
    }
}
