import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Kafka's own serialisation as a service: one command a line on standard input, one answer a line on standard output.
 *
 * <pre>
 * usage: Codec
 *   echo request|response KEY VERSION HEX     reads the body and writes it again: HEX JSON
 *   make request KEY VERSION VARIANT          writes a body with a number of its own in each field: HEX NAME=NUMBER,...
 *                                             variant 0: what may be null is; 1: what may be empty is; 2, 3: filled
 * </pre>
 *
 * What cannot be done is answered with "error" and the reason.
 */
public final class Codec {
    private static final ObjectMapper JSON = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(answer(line.split(" ")));
        }
    }

    private static String answer(String[] words) {
        try {
            ApiMessageType api = ApiMessageType.fromApiKey(Short.parseShort(words[2]));
            boolean isRequest = words[1].equals("request");
            short version = Short.parseShort(words[3]);
            return switch (words[0]) {
                case "echo" -> echo(api, isRequest, version, words.length > 4 ? words[4] : "");
                case "make" -> new Sample(api, version, Integer.parseInt(words[4])).make();
                default -> "error no command is called " + words[0];
            };
        } catch (ReflectiveOperationException failure) {
            return "error " + failure.getCause();
        } catch (Exception | Error failure) {
            return "error " + failure;
        }
    }

    private static String echo(ApiMessageType api, boolean isRequest, short version, String hex) throws Exception {
        var bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
        Message message = isRequest ? api.newRequest() : api.newResponse();
        message.read(new ByteBufferAccessor(bytes), version);
        if (bytes.hasRemaining()) {
            return "error " + bytes.remaining() + " bytes are left";
        }
        var converter = converter(api.name + (isRequest ? "Request" : "Response"));
        var json = converter.getMethod("write", message.getClass(), short.class).invoke(null, message, version);
        return written(message, version) + " " + json;
    }

    private static Class<?> converter(String message) throws ClassNotFoundException {
        return Class.forName("org.apache.kafka.common.message." + message + "DataJsonConverter");
    }

    private static String written(Message message, short version) {
        var buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** One request, made from Kafka's description of it. */
    private static final class Sample {
        private final ApiMessageType api;
        private final short version;
        private final int variant;
        private final JsonNode schema;
        private final Map<String, JsonNode> structures = new HashMap<>();
        private final List<String> numbers = new ArrayList<>();
        private int next = 1000;

        Sample(ApiMessageType api, short version, int variant) throws Exception {
            this.api = api;
            this.version = version;
            this.variant = variant;
            try (InputStream text = Codec.class.getResourceAsStream("/common/message/" + api.name + "Request.json")) {
                schema = JSON.readTree(text);
            }
            schema.path("commonStructs").forEach(each -> structures.put(each.get("name").asText(), each.get("fields")));
        }

        String make() throws Exception {
            JsonNode json = structure(schema.get("fields"));
            Object message = converter(api.name + "Request").getMethod("read", JsonNode.class, short.class).invoke(null, json, version);
            return written((Message) message, version) + " " + String.join(",", numbers);
        }

        private ObjectNode structure(JsonNode fields) {
            ObjectNode made = JsonNodeFactory.instance.objectNode();
            for (JsonNode field : fields) {
                if (isIn(field.get("versions").asText())) {
                    String name = field.get("name").asText();
                    name = name.substring(0, 1).toLowerCase() + name.substring(1);
                    made.set(name, value(field, name, field.get("type").asText()));
                }
            }
            return made;
        }

        private JsonNode value(JsonNode field, String name, String type) {
            JsonNodeFactory json = JsonNodeFactory.instance;
            boolean isNullable = isIn(field.path("nullableVersions").asText("none"));
            if (variant == 0 && isNullable) {
                return NullNode.instance;
            }
            if (type.startsWith("[]")) {
                ArrayNode elements = json.arrayNode();
                for (int count = 0; count < variant - 1; count++) {
                    elements.add(value(json.objectNode().set("fields", field.get("fields")), name, type.substring(2)));
                }
                return elements;
            }
            return switch (type) {
                case "bool" -> json.booleanNode(variant % 2 == 1);
                // Too small for a number of its own.
                case "int8" -> json.numberNode(variant);
                case "int16", "uint16", "int32", "int64" -> json.numberNode(number(name));
                case "float64" -> json.numberNode((double) number(name));
                case "string" -> json.textNode(variant == 1 ? "" : "s" + number(name));
                case "bytes", "records" -> json.binaryNode(variant == 1 ? new byte[0] : ("s" + number(name)).getBytes(StandardCharsets.UTF_8));
                // Its last digits, which are hexadecimal, read as the number.
                case "uuid" -> json.textNode(new Uuid(1, Long.parseLong("" + number(name), 16)).toString());
                default -> structure(field.hasNonNull("fields") ? field.get("fields") : structures.get(type));
            };
        }

        private int number(String name) {
            numbers.add(name + "=" + next);
            return next++;
        }

        private boolean isIn(String versions) {
            if (versions.equals("none")) {
                return false;
            }
            if (versions.endsWith("+")) {
                return version >= Integer.parseInt(versions.substring(0, versions.length() - 1));
            }
            String[] ends = versions.split("-");
            return version >= Integer.parseInt(ends[0]) && version <= Integer.parseInt(ends[ends.length - 1]);
        }
    }
}
